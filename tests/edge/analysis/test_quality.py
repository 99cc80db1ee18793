import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edge
from edge.analysis.quality import PARTS, Quality
from edge.formats.reduced_jpeg import load_reduced_grey
from edge.image import load_image, to_grey
from tests.conftest import ROOT, SAMPLE
from tests.made_shots import WORSE

# Portraits from the front, neutral with open eyes; with five worse copies of each, 30 pairs.
PORTRAITS = 6
DATA = Path(os.environ.get("EDGE_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="module")
def detect():
    return edge.FaceKeypoints(precision="fp32", points68=True, max_faces=1)


@pytest.fixture(scope="module")
def portrait(detect):
    image = load_image(SAMPLE)
    return image, detect(image)[0]


@pytest.mark.parametrize("name", [name for name in WORSE if name != "closed"])  # she smiles
def test_a_worse_copy_of_the_sample_has_a_lower_quality(name, portrait, detect):
    image, face = portrait
    worse = WORSE[name](image, face)
    assert edge.quality(worse, detect(worse)[0]).value < edge.quality(image, face).value - 0.02


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "permissive").is_dir(), reason="no face data at EDGE_DATA")
def test_pairs_are_sorted_as_a_person_would(detect):
    folder = DATA / "permissive"
    lines = (folder / "annotations.jsonl").read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if "neutral_front" in row.get("source", "")]
    wrong = []
    for row in rows[:PORTRAITS]:
        image = load_image(folder / row["image"])
        (face,) = detect(image)
        best = edge.quality(image, face).value
        for name, spoil in WORSE.items():
            worse = spoil(image, face)
            wrong += [
                (row["image"], name)
                for found in detect(worse)
                if edge.quality(worse, found).value >= best
            ]
    assert not wrong


def test_each_part_is_lowered_by_its_own_fault(portrait):
    image, face = portrait
    whole = edge.quality(image, face).parts
    assert list(whole) == list(PARTS)
    assert edge.quality((image / 6).astype(np.uint8), face).parts["light"] < whole["light"] - 0.5
    small = replace(face, box=np.array([0, 0, 16, 20], np.float32))
    assert edge.quality(image, small).parts["size"] == 0
    unsure = replace(face, error=face.error * 100)
    assert edge.quality(image, unsure).parts["visible"] == 0
    points = face.points68.copy()
    points[[37, 38]], points[[66]] = points[[41, 40]], points[[66]] + (0, 40)
    other = edge.quality(image, replace(face, points68=points)).parts
    assert other["eyes_open"] == 0
    assert other["mouth_closed"] < whole["mouth_closed"]


def test_without_the_68_points_eyes_and_mouth_are_left_out(portrait):
    image, face = portrait
    found = edge.quality(image, replace(face, points68=None))
    assert set(PARTS) - set(found.parts) == {"eyes_open", "mouth_closed"}
    assert 0 < found.value <= 1


def test_a_flat_face_and_one_without_a_shape_have_no_quality(portrait):
    image, face = portrait
    flat = edge.quality(np.full_like(image, 120), face)
    assert (flat.parts["sharpness"], flat.parts["light"]) == (0, 0)
    nothing = replace(face, keypoints=np.zeros((15, 2), np.float32))
    assert edge.quality(image, nothing) == Quality(0.0, {})


def test_the_record_is_rounded():
    assert Quality(0.123456, {"size": 0.5}).to_dict() == {"value": 0.1235, "size": 0.5}


def test_grey_images_and_parts_of_them_are_judged_alike(portrait):
    image, face = portrait
    colour = edge.quality(image, face).value
    assert edge.quality(to_grey(image), face).value == pytest.approx(colour, abs=0.002)
    reduced = load_reduced_grey(SAMPLE, 128)
    assert reduced.factor > 1
    assert edge.quality(reduced, face).value == pytest.approx(colour, abs=0.01)
