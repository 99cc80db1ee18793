"""Training: from annotated faces or photos to `model.keras` and `run.json`."""
