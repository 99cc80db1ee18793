"""Adapting a finished keypoint network to a few dozen faces: a correction of its last layer."""
