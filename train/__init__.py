"""Training: from Kaggle's `training.csv` to `model.keras` and `run.json`."""
