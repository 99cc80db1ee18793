"""The example on dark copies of the sample, shifted and resized."""

import json

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("pandas")

from PIL import Image

import edge
from edge.geometry.affine import transform
from examples import learn_from_corrections as example


@pytest.fixture
def data(sample, tmp_path, rng):
    """36 photos of 80×80 px with the keypoints of the sample, of which one is not labelled."""
    [face] = edge.FaceKeypoints(precision="fp32")(sample)
    lines = []
    for i in range(36):
        x, y, side = *(np.array([150, 50]) + rng.uniform(-12, 12, 2)), rng.uniform(150, 180)
        box = (x, y, x + side, y + side)
        Image.open(sample).resize((80, 80), box=box).save(tmp_path / f"{i}.png")
        scale = 80 / side
        matrix = [[scale, 0, (0.5 - x) * scale - 0.5], [0, scale, (0.5 - y) * scale - 0.5]]
        points = transform(np.array(matrix), face.keypoints).round(2).tolist()
        labels = dict(zip(edge.KEYPOINT_NAMES, points, strict=True)) | {"nose_tip": None}
        lines.append(json.dumps({"image": f"{i}.png", "keypoints": labels}))
    (tmp_path / "annotations.jsonl").write_text("\n".join(lines))
    return tmp_path


@pytest.mark.slow
def test_the_adapted_network_is_better_on_photos_that_were_held_out(data, monkeypatch, capsys):
    monkeypatch.setattr(example, "CORRECTED", 24)
    monkeypatch.setattr(example, "HELD_OUT", 12)
    assert example.main(data, data / "work") == 0
    *_, embedded, adapted = capsys.readouterr().out.splitlines()
    before, after = (float(line.split()[1].rstrip("%")) for line in (embedded, adapted))
    assert (embedded.split(":")[0], adapted.split(":")[0]) == ("embedded", "adapted")
    assert after < 0.8 * before
    exported = json.loads((data / "work" / "photos" / "corrected.json").read_text())
    assert len(exported[0]["annotations"][0]["result"]) == 1 + 14
