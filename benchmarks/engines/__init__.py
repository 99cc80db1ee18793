"""The embedded networks in other inference engines, beside onnxruntime."""
