"""Accuracy: detectors behind one call, face scores, agreement of two runs."""
