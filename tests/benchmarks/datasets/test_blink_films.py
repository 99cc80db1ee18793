import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from benchmarks.datasets.blink_films import (
    RATE,
    TILE,
    Blink,
    close_eye,
    draw_blinks,
    frames,
    read_actors,
)
from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import KEYPOINT_NAMES


def mesh_of_eye(left, width, half_gap, centre_y):
    """A mesh whose right eye is an arc of this width and gap; everything else lies at 0."""
    from benchmarks.datasets.blink_films import _LIDS

    mesh = np.zeros((478, 2))
    for (upper, lower, crease), x0 in zip(_LIDS, (left, left + 2 * width), strict=True):
        x = np.linspace(0, width, 9)
        arc = half_gap * (1 - ((x - width / 2) / (width / 2)) ** 2)
        direction = x if x0 == left else width - x
        mesh[list(crease)] = np.column_stack([x0 + direction, centre_y - arc - half_gap])
        mesh[list(lower)] = np.column_stack([x0 + direction, centre_y + arc])
        mesh[list(upper)] = np.column_stack([x0 + direction, centre_y - arc])
    return mesh


def test_a_closed_eye_shows_skin_and_the_rest_stays():
    mesh = mesh_of_eye(20, 40, 9, 50)
    picture = np.full((100, 160, 3), 180, np.uint8)
    picture[45:56, 35:45] = 0  # the iris
    closed = close_eye(picture, mesh, 0, 1.0)
    assert (closed < 90).sum() < 0.15 * (picture < 90).sum()
    np.testing.assert_array_equal(closed[:, 70:], picture[:, 70:])
    np.testing.assert_array_equal(close_eye(picture, mesh, 0, 0.0), picture)


def test_lids_close_and_open_again():
    blink = Blink(1.0, 1.4)
    assert [blink.closure(t) for t in (0.9, 1.0, 1.4, 1.5)] == [0, 0, 0, 0]
    assert blink.closure(1.2) == pytest.approx(1)
    assert 0 < blink.closure(1.05) < blink.closure(1.1) < 1
    assert 1 > blink.closure(1.3) > blink.closure(1.35) > 0


def test_blinks_are_apart_and_of_the_lengths(rng):
    blinks = draw_blinks(60.0, rng)
    assert all(0.1 <= b.end - b.start <= 0.4 for b in blinks)
    assert all(b.start - a.end >= 1.5 for a, b in pairwise(blinks))


def test_films_show_actors_side_by_side(tmp_path, rng):
    points = MEAN_FACE * 2 + 40
    mesh = mesh_of_eye(90, 28, 7, 110)
    face = {"teacher": dict(zip(KEYPOINT_NAMES, points.tolist(), strict=True)), "mesh": 0}
    row = {"image": "0.png", "faces": [face], "yunet": [[0, 0, 1, 1, 1]]}
    (tmp_path / "annotations.jsonl").write_text(json.dumps(row))
    np.savez(tmp_path / "mesh.npz", mesh=np.round(mesh[None] * 8).astype(np.int16))
    Image.fromarray(rng.integers(0, 255, (270, 270, 3)).astype(np.uint8)).save(tmp_path / "0.png")
    (actor,) = read_actors(tmp_path, 3, 60, rng)
    assert len(actor.pictures) == 17
    film = list(frames([actor, actor], [[], [Blink(0.0, 0.2)]], 0.2, rng))
    assert [time for time, _ in film] == [i / RATE for i in range(6)]
    assert film[0][1].shape == (TILE, 2 * TILE, 3)
