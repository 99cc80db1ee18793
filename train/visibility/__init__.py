"""Training of the visibility network: whether each keypoint of a face is seen."""
