"""Video files and cameras, and faces tracked and smoothed through their frames."""
