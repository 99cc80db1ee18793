"""The keypoint network: batches, architectures, losses, output heads and training."""
