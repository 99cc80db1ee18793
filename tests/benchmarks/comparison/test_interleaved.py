import io
import json
import sys

import numpy as np
import pytest

from benchmarks.comparison import interleaved as race
from benchmarks.comparison import worker as peer_worker
from benchmarks.datasets.photos import Photo
from benchmarks.peers import PEERS, WAYS, Environment, Way, find, main
from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import KEYPOINT_NAMES


@pytest.fixture
def photo():
    return Photo(np.zeros((200, 200), np.uint8), np.float32(MEAN_FACE) + 50)


def face_of(points):
    return [list(map(float, point)) for point in points]


def test_the_face_nearest_to_the_annotation_is_compared(photo):
    far = face_of(photo.keypoints + 90)
    near = face_of(photo.keypoints + np.array([3, 4]))
    span = np.linalg.norm(
        photo.keypoints[KEYPOINT_NAMES.index("left_eye_outer_corner")]
        - photo.keypoints[KEYPOINT_NAMES.index("right_eye_outer_corner")]
    )
    measured = race.measure_accuracy([photo, photo], [[far, near], [far]])
    assert (measured["faces"], measured["found"], measured["keypoints"]) == (2, 1, 15)
    assert measured["error_raw"] == pytest.approx(5 / span, abs=1e-4)
    assert measured["error"] == pytest.approx(0, abs=1e-4)  # the same for all is the scheme's


def test_a_way_without_some_keypoints_is_compared_in_the_others(photo):
    some = [list(map(float, p)) if k in (0, 1, 10) else None
            for k, p in enumerate(photo.keypoints + np.array([3, 4]))]  # fmt: skip
    measured = race.measure_accuracy([photo], [[some]])
    assert measured["keypoints"] == 3
    assert measured["error"] == measured["error_raw"] > 0
    assert race.measure_accuracy([photo], [[None]]) == {"faces": 1, "found": None}
    assert race.measure_accuracy([photo], [[]]) == {"faces": 1, "found": 0}


def test_the_points_of_another_scheme_are_averaged_or_missing():
    points = [(0, 0), (2, 4), (10, 10)]
    assert peer_worker.pick(points, ((0, 1), (2,), ())) == [[1.0, 2.0], [10.0, 10.0], None]
    for scheme, most in ((peer_worker.SCHEME_68, 68), (peer_worker.SCHEME_MESH, 468)):
        assert len(scheme) == len(KEYPOINT_NAMES)
        assert max(max(some) for some in scheme) < most


def test_a_worker_answers_each_order(tmp_path, monkeypatch):
    photos = np.zeros((2, 4, 4, 3), np.uint8)
    np.savez(tmp_path / "p.npz", a=photos[0], b=photos[1])
    np.save(tmp_path / "first.npy", photos[0])
    monkeypatch.setitem(peer_worker.WAYS, "none", lambda options: lambda rgb: [])
    both = {"photos": str(tmp_path / "p.npz"), "names": ["a", "b"]}
    orders = [
        {"do": "first", "photo": str(tmp_path / "first.npy")},
        {"do": "time", **both}, {"do": "find", **both}, {"do": "memory"},
    ]  # fmt: skip
    replies = []
    lines = io.StringIO("\n".join(map(json.dumps, orders)))
    peer_worker.answer(lines, {"way": "none"}, replies.append)
    assert set(replies[0]) == {"open_ms", "look_ms", "since_start_ms"}
    assert len(replies[1]["ms"]) == 2
    assert replies[2] == {"faces": [[], []]}
    assert replies[3]["mb"] > 10


@pytest.mark.slow
def test_our_own_way_finds_the_sample_in_a_process_of_its_own(tmp_path):
    from benchmarks.tracking import SAMPLE
    from edge.image import load_image

    np.savez(tmp_path / "p.npz", a=load_image(SAMPLE))
    here = Environment(tmp_path)
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    # A link would lose the packages of this environment.
    python.write_text(f'#!/bin/sh\nshift\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    way = Way("ours", "edge", {"way": "edge", "precision": "fp32"})
    with race.Runner(way, here, 1, None) as runner:
        faces = runner.ask(do="find", photos=str(tmp_path / "p.npz"), names=["a"])["faces"]
    assert np.shape(faces) == (1, 1, 15, 2)
    assert np.linalg.norm(np.array(faces[0][0][10]) - [229, 127]) < 12


def test_a_process_that_fails_says_its_last_line(tmp_path):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho one >&2\necho no such model >&2\nexit 1\n")
    python.chmod(0o755)
    with (
        race.Runner(WAYS[0], Environment(tmp_path), 1, None) as runner,
        pytest.raises(OSError, match="no such model"),
    ):
        runner.ask(do="memory")


def test_every_way_has_a_peer_and_a_peer_that_is_not_there_says_why(tmp_path):
    assert {way.peer for way in WAYS} == set(PEERS)
    assert {way.options["way"] for way in WAYS} == set(peer_worker.WAYS)
    assert "benchmarks.peers install" in find("dlib", tmp_path).failure
    (tmp_path / "dlib").mkdir()
    (tmp_path / "dlib" / "failed.txt").write_text("no wheel for this Python\n")
    assert find("dlib", tmp_path).failure == "no wheel for this Python"


def test_an_unknown_peer_is_a_wrong_command_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["install", "nobody", "--home", str(tmp_path)])
    assert "no such peer: nobody" in capsys.readouterr().err
