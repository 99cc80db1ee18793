"""A small network that tells expressions from the 68 points, taught with heads of a head model."""
