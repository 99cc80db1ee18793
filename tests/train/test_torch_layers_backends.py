"""The training code runs on every Keras backend that is installed."""

import csv
import importlib.util
import json

import pytest

pytest.importorskip("keras")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_run_trains_and_resumes_on_the_backend(backend, training_csv, tmp_path, run_python):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    arguments = ["-m", "train.run", "--data", training_csv, "-o", tmp_path / "run", "--epochs", "4"]
    for extra in ([], ["--resume"]):
        done = run_python(*arguments, *extra, KERAS_BACKEND=backend)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["versions"]["backend"] == backend
    with (tmp_path / "run" / "history.csv").open() as file:
        errors = [float(row["val_rmse"]) for row in csv.DictReader(file)]
    assert len(errors) == 4
    assert errors[-1] < errors[0]
    assert record["validation"]["rmse_px"] < 50  # of guessing
