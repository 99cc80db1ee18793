"""Errors of what is measured of faces, and of what they do: `python -m benchmarks.analysis`."""
