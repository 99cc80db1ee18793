"""Measuring the `.onnx` files that `edge` runs: accuracy and latency, side by side."""
