"""The two networks as open ONNX files, the other detectors, and the choice of precision."""
