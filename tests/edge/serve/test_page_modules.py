"""The page's JavaScript beside the package: the same formulas in another language."""

import json
import shutil
import subprocess

import numpy as np
import pytest

pytest.importorskip("fastapi")

import edge
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.head_shape import HEAD_MODES, MEAN_HEAD
from edge.networks.tiling import are_cut, tiles
from edge.serve.client_config import PAGE, describe_server
from edge.serve.limits import Limits
from edge.suppression import without_duplicates

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no node; apt-get install nodejs")

MEASURE = """
import { measure } from "./measures.js";
const run = ({ points, error, size }, settings) => measure(points, error, size, settings);
"""
SUPPRESS = """
import { withoutDuplicates } from "./suppression.js";
const run = (faces, settings) =>
  withoutDuplicates(faces.map((face, index) => ({ ...face, index })), settings)
    .map(({ index }) => index);
"""
TILES = """
import { isCut, tilesOf } from "./tiling.js";
const run = ({ longer, shorter, minLength, box }, { detector: { tiling } }) =>
  tilesOf(longer, shorter, minLength, tiling)
    .map((tile) => [tile, isCut(box, 0, tile, longer, tiling)]);
"""
FIXED = """
import { fixed } from "./states.js";
const run = ([value, digits]) => fixed(value, digits);
"""
MAIN = """
import { readFileSync } from "node:fs";
const { settings, inputs } = JSON.parse(readFileSync(0));
console.log(JSON.stringify(inputs.map((input) => run(input, settings))));
"""


@pytest.fixture
def run_node(detect, tmp_path):
    """Run a script that defines `run` on each of the inputs, with the server's settings."""
    for path in PAGE.glob("*.js"):
        shutil.copy(path, tmp_path / path.name)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    settings = describe_server(detect, Limits(), live=False)["settings"]

    def run(script, inputs):
        (tmp_path / "main.js").write_text(script + MAIN)
        ran = subprocess.run(
            [NODE, "main.js"],
            cwd=tmp_path,
            input=json.dumps({"settings": settings, "inputs": inputs}).encode(),
            capture_output=True,
        )
        assert ran.returncode == 0, ran.stderr.decode()
        return json.loads(ran.stdout)

    return run


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


def test_the_page_measures_what_the_server_measures(run_node):
    size = (400, 300)
    faces = [(points, np.linspace(0.5, 3, 15)) for points in make_faces()]
    inputs = [
        {"points": points.tolist(), "error": error.tolist(), "size": size}
        for points, error in faces
    ]
    for (points, error), found in zip(faces, run_node(MEASURE, inputs), strict=True):
        face = edge.Face(np.zeros(4, np.float32), 1.0, points, error)
        expected = edge.measure(face, image_size=size)
        assert list(found) == list(expected)
        for name, measured in expected.items():
            close = {"abs": 0.01} if name.endswith("_deg") else {"rel": 1e-6}
            assert found[name]["value"] == pytest.approx(measured.value, **close), name
            assert found[name]["error"] == pytest.approx(measured.error, **close), name


def random_faces(rng):
    """Faces that overlap in all ways: the same, nested, side by side and apart."""
    for _ in range(rng.integers(1, 7)):
        width = rng.uniform(10, 100)
        box = np.array([*rng.uniform(0, 120, 2), width, 1.2 * width], np.float32)
        keypoints = box[:2] + MEAN_FACE / 96 * box[2:]
        yield edge.Face(box, rng.uniform(0.6, 1), keypoints, np.ones(15))


def test_the_page_keeps_the_faces_that_the_package_keeps(run_node):
    rng = np.random.default_rng(1)
    images = [list(random_faces(rng)) for _ in range(200)]
    inputs = [
        [
            {"box": f.box.tolist(), "score": f.score, "keypoints": f.keypoints.tolist()}
            for f in faces
        ]
        for faces in images
    ]
    for faces, kept in zip(images, run_node(SUPPRESS, inputs), strict=True):
        expected = without_duplicates(faces)
        assert [faces[index] for index in kept] == expected


def test_the_page_searches_the_tiles_that_the_package_searches(run_node):
    rng = np.random.default_rng(2)
    inputs = [
        {
            "longer": int(longer),
            "shorter": int(rng.integers(1, longer)),
            "minLength": 160,
            "box": [*rng.uniform(0, longer, 2), *rng.uniform(0, 300, 2)],
        }
        for longer in rng.integers(2, 9000, 100)
    ]
    some = 0
    for case, found in zip(inputs, run_node(TILES, inputs), strict=True):
        box, longer = np.array([case["box"]], np.float64), case["longer"]
        expected = tiles(longer, case["shorter"], case["minLength"])
        assert [tuple(tile) for tile, _ in found] == expected
        assert [cut for _, cut in found] == [
            bool(are_cut(box, 0, tile, longer)[0]) for tile in expected
        ]
        some += len(expected) > 0
    assert some > 20


def test_a_zero_has_no_sign_on_the_page(run_node):
    numbers = [[-0.4, 0], [-0.004, 2], [-0.6, 0], [0.4, 0], [-10.2, 1], [-0.5, 2]]
    assert run_node(FIXED, numbers) == ["0", "0.00", "-1", "0", "-10.2", "-0.50"]
