import json

import numpy as np
import pytest

pytest.importorskip("pandas")

from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import KEYPOINT_NAMES
from tests.annotated_photos import write_annotated_photos
from tests.made_faces import make_faces, write_annotated, write_csv
from train.data.faces import join, load_faces
from train.data.padded_crops import MARGIN, PADDED_SIDE
from train.errors import DataError
from train.prepare import main


@pytest.fixture
def folder(tmp_path):
    return write_annotated_photos(tmp_path)


def darkness(image, point):
    x, y = np.rint(point).astype(int)
    return float(image[y - 1 : y + 2, x - 1 : x + 2].mean())


def test_faces_are_framed_alike_and_their_points_lie_on_them(folder, tmp_path):
    output = tmp_path / "faces.npz"
    assert main([str(folder), "-o", str(output)]) == 0
    faces = load_faces(output)
    assert faces.images.shape == (5, PADDED_SIDE, PADDED_SIDE)
    for image, points in zip(faces.images, faces.keypoints, strict=True):
        np.testing.assert_allclose(points.mean(axis=0), MEAN_FACE.mean(axis=0) + MARGIN, atol=5)
        assert all(darkness(image, point) < 150 for point in points)
    crops = faces.crops()
    assert crops.images.shape == (5, 96, 96)
    np.testing.assert_allclose(crops.keypoints, faces.keypoints - MARGIN)
    np.testing.assert_allclose(crops.keypoints[0], MEAN_FACE, atol=0.01)  # not turned


def test_a_teacher_that_contradicts_the_hand_is_left_out(folder, tmp_path, capsys):
    output = tmp_path / "faces.npz"
    assert main([str(folder), "-o", str(output), "--labels", "teacher"]) == 0
    assert load_faces(output).ids.tolist() == [1, 2, 3, 5]
    assert "3.png: its two annotations disagree" in capsys.readouterr().err


def test_a_convention_moves_the_labels(folder, tmp_path):
    table = {name: [0.0, 0.0] for name in KEYPOINT_NAMES} | {"nose_tip": [0.0, 0.1]}
    convention = tmp_path / "convention.json"
    convention.write_text(json.dumps({"kaggle_minus_68": table}))
    outputs = [tmp_path / name for name in ("plain.npz", "moved.npz")]
    assert main([str(folder), "-o", str(outputs[0])]) == 0
    assert main([str(folder), "-o", str(outputs[1]), "--convention", str(convention)]) == 0
    plain, moved = (load_faces(path).keypoints for path in outputs)
    nose = KEYPOINT_NAMES.index("nose_tip")
    assert (moved - plain)[0, nose, 1] == pytest.approx(0.1 * 51, abs=0.6)


def test_kaggle_files_and_folders_make_one_file_without_copies_of_test_pictures(folder, tmp_path):
    images, keypoints = make_faces(6)
    training = write_csv(tmp_path / "training.csv", images, keypoints)
    (tmp_path / "test").mkdir()
    tables = write_annotated(tmp_path / "test", images[2:3], keypoints[2:3], [30])
    output = tmp_path / "faces.npz"
    arguments = [str(training), str(folder), "-o", str(output), "--apart-from", *map(str, tables)]
    assert main(arguments) == 0
    faces = load_faces(output)
    assert faces.sources.tolist() == ["training"] * 5 + [folder.name] * 5
    assert 3 not in faces.ids[:5].tolist()
    # Kaggle's smaller pictures have their border repeated around them.
    np.testing.assert_array_equal(faces.crops().images[0], images[0])
    assert (faces.images[0, 0] == faces.images[0, MARGIN]).all()


@pytest.mark.parametrize(
    "line", ["junk", "[1]", '{"keypoints": {}}', '{"image": 3, "points68": [1]}']
)
def test_a_broken_line_is_named(tmp_path, capsys, line):
    (tmp_path / "annotations.jsonl").write_text(line)
    assert main([str(tmp_path), "-o", str(tmp_path / "faces.npz")]) == 1
    err = capsys.readouterr().err
    assert "annotations.jsonl: line 1" in err
    assert len(err.splitlines()) == 1


def test_a_photo_that_cannot_be_read_loses_nothing_else(folder, tmp_path, capsys):
    (folder / "1.png").write_bytes(b"junk")
    (folder / "2.png").unlink()
    output = tmp_path / "faces.npz"
    assert main([str(folder), "-o", str(output)]) == 0
    assert load_faces(output).ids.tolist() == [1, 4, 5]
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_folder_without_annotations_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path), "-o", str(tmp_path / "faces.npz")]) == 1
    assert "contains neither annotations.jsonl nor a .pts or .json file" in capsys.readouterr().err


def test_a_file_that_holds_no_faces_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    (tmp_path / "junk.npz").write_bytes(b"junk")
    for name in ("other.npz", "junk.npz", "none.npz"):
        with pytest.raises(DataError, match=name):
            load_faces(tmp_path / name)


def test_joined_sets_keep_everything_in_order(folder, tmp_path):
    output = tmp_path / "faces.npz"
    assert main([str(folder), "-o", str(output)]) == 0
    faces = load_faces(output)
    both = join([faces.crops(), faces])
    assert both.images.shape == (10, PADDED_SIDE, PADDED_SIDE)
    np.testing.assert_allclose(both.keypoints[:5], both.keypoints[5:], atol=1e-4)
    assert both.groups.tolist() == faces.groups.tolist() * 2
