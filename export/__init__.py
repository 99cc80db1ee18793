"""Export: from a training run's `model.keras` to the `.onnx` files that `edge` reads."""
