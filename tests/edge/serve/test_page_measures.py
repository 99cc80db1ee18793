"""The page's measures beside the server's: the same formulas in another language."""

import json
import shutil
import subprocess

import numpy as np
import pytest

pytest.importorskip("fastapi")

import edge
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.head_shape import HEAD_MODES, MEAN_HEAD
from edge.serve.client_config import PAGE, describe_server
from edge.serve.limits import Limits

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no node; apt-get install nodejs")

SCRIPT = """
import { readFileSync } from "node:fs";
import { measure } from "./measures.js";
const { settings, faces } = JSON.parse(readFileSync(0));
const found = faces.map(({ points, error, size }) => measure(points, error, size, settings));
console.log(JSON.stringify(found));
"""


def make_faces():
    rng = np.random.default_rng(0)
    for _ in range(20):
        head = MEAN_HEAD + np.tensordot(rng.normal(size=len(HEAD_MODES)), HEAD_MODES, axes=1)
        axis = rng.normal(size=3)
        cross = np.cross(np.eye(3), axis / np.linalg.norm(axis)) * rng.uniform(0, 0.8)
        turned = head @ (np.eye(3) + cross + cross @ cross / 2).T
        yield turned[:, :2] * rng.uniform(3, 20) + 150
    yield MEAN_FACE.astype(float)
    yield np.full((15, 2), 7.0)  # no face


def test_the_page_measures_what_the_server_measures(detect, tmp_path):
    size = (400, 300)
    faces = [(points, np.linspace(0.5, 3, 15)) for points in make_faces()]
    request = {
        "settings": describe_server(detect, Limits(), live=False)["settings"],
        "faces": [
            {"points": points.tolist(), "error": error.tolist(), "size": size}
            for points, error in faces
        ],
    }
    for name in ("measures.js", "head_pose.js"):
        shutil.copy(PAGE / name, tmp_path / name)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "run.js").write_text(SCRIPT)
    ran = subprocess.run(
        [NODE, "run.js"], cwd=tmp_path, input=json.dumps(request).encode(), capture_output=True
    )
    assert ran.returncode == 0, ran.stderr.decode()
    for (points, error), found in zip(faces, json.loads(ran.stdout), strict=True):
        face = edge.Face(np.zeros(4, np.float32), 1.0, points, error)
        expected = edge.measure(face, image_size=size)
        assert list(found) == list(expected)
        for name, measured in expected.items():
            close = {"abs": 0.01} if name.endswith("_deg") else {"rel": 1e-6}
            assert found[name]["value"] == pytest.approx(measured.value, **close), name
            assert found[name]["error"] == pytest.approx(measured.error, **close), name
