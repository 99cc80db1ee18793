"""The data that benchmarks measure on: annotated photos and synthetic videos and archives."""
