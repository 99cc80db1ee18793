"""Training the keypoint network and its error and face-score heads."""
