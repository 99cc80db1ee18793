import json

import numpy as np
import pytest

pytest.importorskip("keras")

from edge.evaluation.metrics import rmse
from tests.made_faces import make_faces, write_annotated
from train.checkpoints import load
from train.evaluate import main


def test_the_table_and_the_record_have_the_errors_of_the_model(finished_run, tmp_path, capsys):
    images, keypoints = make_faces(6, seed=9)
    asked = [30, 30, 30, 30, 8, 8]
    annotated, test_images = write_annotated(tmp_path, images, keypoints, asked)
    assert (
        main([str(finished_run), "--annotated", str(annotated), "--images", str(test_images)]) == 0
    )
    model = load(finished_run / "model.keras")
    predicted = model.predict(images[..., None], verbose=0)["keypoints"]
    sets = json.loads((finished_run / "evaluation.json").read_text())["sets"]
    assert {name: s["faces"] for name, s in sets.items()} == {
        "asked > 8": 4,
        "asked = 8": 2,
        "all": 6,
    }
    assert sets["asked > 8"]["rmse_px"] == pytest.approx(
        rmse(predicted[:4], keypoints[:4]), abs=1e-3
    )
    nose = float(np.sqrt(((predicted - keypoints)[:, 10] ** 2).mean()))
    assert sets["all"]["rmse_px_per_keypoint"]["nose_tip"] == pytest.approx(nose, abs=1e-3)
    assert f"{sets['all']['rmse_px']:.3f}" in capsys.readouterr().out
    for name in ("cumulative_error.png", "worst_faces.png"):
        (finished_run / name).unlink()
    (finished_run / "evaluation.json").unlink()
