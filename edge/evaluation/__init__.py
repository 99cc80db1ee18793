"""Metrics over predicted and true keypoints."""
