import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pandas")

from edge.geometry.affine import transform
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.similarity import similarity
from edge.keypoints import KEYPOINT_NAMES
from tests.made_faces import make_faces, write_annotated, write_csv
from train.data.annotation_schemes import from_68
from train.data.faces import join, load_faces
from train.data.padded_crops import MARGIN, PADDED_SIDE
from train.data.sources import Source, read_annotations, read_source
from train.errors import DataError
from train.prepare import main

CENTRES = ((100.0, 90.0), (140.0, 120.0), (90.0, 130.0), (120.0, 100.0), (130.0, 90.0))


def spotted_photo(points, size=(240, 220)):
    """A light photo with a dark spot at each point."""
    y, x = np.mgrid[: size[1], : size[0]]
    away = np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1])
    return np.clip(220 - (150 * np.exp(-((away / 3) ** 2))).sum(axis=-1), 0, 255).astype(np.uint8)


def faces_in_photos():
    """Where the mean face stands in each photo: larger than a crop, and turned a little."""
    matrices = [similarity(1.5, 5.0 * i, (47.5, 47.5), c) for i, c in enumerate(CENTRES)]
    return [transform(matrix, MEAN_FACE) for matrix in matrices]


def named(points):
    return dict(zip(KEYPOINT_NAMES, np.round(points, 3).tolist(), strict=True))


@pytest.fixture
def folder(tmp_path):
    """Five photos with annotations.jsonl; the teacher misses by a constant and once altogether."""
    lines = []
    for i, points in enumerate(faces_in_photos()):
        Image.fromarray(spotted_photo(points)).save(tmp_path / f"{i}.png")
        teacher = points + 1.0 + (60 if i == 3 else 0)
        lines.append({"image": f"{i}.png", "source": f"who/Ann_B_{i}.jpg" if i < 2 else f"{i}.png",
                      "keypoints": named(points), "teacher": named(teacher)})  # fmt: skip
    (tmp_path / "annotations.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    return tmp_path


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


def test_a_person_is_named_by_the_pattern(folder):
    people = [row.person for row in read_annotations(folder, r"([^/]+?)_?\d+\.\w+$")]
    assert people == ["Ann_B", "Ann_B", "2.png", "3.png", "4.png"]


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


def test_pts_files_beside_photos_are_read_counting_from_one(tmp_path, rng):
    points = rng.uniform(60, 160, size=(68, 2))
    Image.fromarray(spotted_photo(points[:3])).save(tmp_path / "a.png")
    text = "\n".join(f"{x + 1} {y + 1}" for x, y in points)
    (tmp_path / "a.pts").write_text(f"version: 1\nn_points: 68\n{{\n{text}\n}}\n")
    (row,) = read_annotations(tmp_path)
    np.testing.assert_allclose(row.keypoints, from_68(points[None])[0], atol=1e-3)


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
    assert "contains neither annotations.jsonl nor a .pts file" in capsys.readouterr().err


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


def test_the_rows_of_each_group_of_annotators_are_chosen_and_moved(tmp_path):
    images, keypoints = make_faces(6)
    keypoints[1, 0] = np.nan  # not counted among the complete rows
    write_csv(tmp_path / "training.csv", images, keypoints)
    source = Source("kaggle", "training.csv", annotators="kaggle_2", complete_rows=(2, 4))
    faces, _ = read_source(source, tmp_path, None)
    assert faces.ids.tolist() == [3, 4, 5]
    bottom = KEYPOINT_NAMES.index("mouth_center_bottom_lip")
    moved = faces.keypoints[:, bottom, 1] - keypoints[2:5, bottom, 1]
    np.testing.assert_allclose(moved, 0.0716 * 51, atol=0.6)
    with pytest.raises(DataError, match="5 rows have all keypoints"):
        read_source(replace(source, complete_rows=(6, 9)), tmp_path, None)


def test_annotators_of_whom_nothing_is_known_are_refused(folder):
    with pytest.raises(DataError, match="nobody"):
        read_source(Source("a", folder.name, annotators="nobody"), folder.parent, None)
