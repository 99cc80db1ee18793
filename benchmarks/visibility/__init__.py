"""How well hidden keypoints are told from seen ones: `python -m benchmarks.visibility`."""
