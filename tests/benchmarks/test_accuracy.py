import csv
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx")

from benchmarks import submission
from benchmarks.accuracy import main
from benchmarks.datasets.photos import Photo, found_at, read_photos, shrink, turn
from benchmarks.evaluation.face_score import area_under_curve, cut_parts, share_of, square_of_part
from benchmarks.latency.model_size import count
from edge.facekeypoints import FaceKeypoints
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import EMBEDDED, KeypointModel
from edge.refinement import predict_crops
from tests.made_faces import COLUMNS, make_faces, write_annotated


@pytest.fixture(scope="module")
def detect():
    return FaceKeypoints()


@pytest.fixture
def photo(detect, sample):
    """The sample picture, annotated by the network itself."""
    (face,) = detect.faces_at(sample, [[176.0, 65.6, 96.0, 96.0]])
    return Photo(np.asarray(Image.open(sample).convert("L")), face.keypoints)


@pytest.fixture
def data(tmp_path, photo):
    """A data folder in the form that the command reads."""
    images, keypoints = make_faces(4)
    for name in ("kaggle", "helen", "negatives"):
        (tmp_path / name).mkdir()
    annotated, pictures = write_annotated(tmp_path / "kaggle", images, keypoints, [30, 30, 8, 8])
    annotated.rename(annotated.with_name("test_annotated.csv"))
    Image.fromarray(photo.grey).save(tmp_path / "helen" / "a.png")
    points = dict(zip(KEYPOINT_NAMES, photo.keypoints.tolist(), strict=True))
    line = json.dumps({"image": "a.png", "keypoints": {**points, "nose_tip": None}})
    (tmp_path / "helen" / "annotations.jsonl").write_text(line)
    for i in range(5):
        Image.fromarray(np.full((60, 80), 40 * i, np.uint8)).save(
            tmp_path / "negatives" / f"{i}.jpg"
        )
    with zipfile.ZipFile(tmp_path / "kaggle" / "test.zip", "w") as archive:
        archive.write(pictures, "test.csv")
    return tmp_path


def test_a_photo_without_a_label_is_measured_on_the_others(data, detect):
    (photo,) = read_photos(data / "helen")
    assert np.isnan(photo.keypoints).any(axis=1).sum() == 1


def test_the_points_turn_and_shrink_with_the_photo(photo, detect):
    for changed in (turn(photo, 0), shrink(photo, 60)):
        (face,) = found_at(detect, [changed])
        scale = changed.square[2] / photo.square[2]
        missed = np.linalg.norm(face.keypoints - changed.keypoints, axis=1).mean()
        assert missed < 4 * scale
    assert shrink(photo, 24).square[2] == pytest.approx(24)
    turned = turn(photo, 45)
    assert turned.grey.shape[0] == turned.grey.shape[1] == 725
    np.testing.assert_allclose(
        turn(turned, -45).keypoints - photo.keypoints, (1026 - 512) / 2, atol=1
    )


def test_the_area_under_the_curve_counts_pairs():
    assert area_under_curve(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1
    assert area_under_curve(np.array([0.9, 0.1]), np.array([0.5, 0.5])) == 0.5
    assert area_under_curve(np.array([0.5]), np.array([0.5])) == 0.5


def test_parts_hold_less_than_a_third_of_the_face(photo, rng):
    face = np.array([10.0, 20.0, 100.0, 100.0])
    assert share_of(face, np.array([60.0, 20.0, 50.0, 50.0])) == pytest.approx(0.25)
    assert share_of(face, np.array([110.0, 20.0, 50.0, 50.0])) == 0
    shares = [share_of(face, square_of_part(face, rng)) for _ in range(200)]
    assert max(shares) < 1 / 3
    assert np.mean(np.array(shares) > 0.1) > 0.2  # not all of them beside it
    assert cut_parts([photo] * 3, 96, rng).shape == (3, 96, 96)


def test_parameters_and_multiply_adds_are_those_of_the_layers(tmp_path):
    import onnx

    weight = onnx.numpy_helper.from_array(np.zeros((4, 1, 3, 3), np.float32), "w")
    dense = onnx.numpy_helper.from_array(np.zeros((4 * 48 * 48, 5), np.float32), "d")
    nodes = [
        onnx.helper.make_node("Conv", ["x", "w"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
        onnx.helper.make_node("Flatten", ["c"], ["f"]),
        onnx.helper.make_node("MatMul", ["f", "d"], ["y"]),
    ]
    make = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, "g", [make("x", 1, ["N", 1, 96, 96])], [make("y", 1, ["N", 5])], [weight, dense]
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    onnx.save(model, tmp_path / "two.onnx")
    assert count(tmp_path / "two.onnx") == (36 + 46080, 36 * 48 * 48 + 46080)


def test_every_number_is_in_the_results_and_the_table(data, tmp_path, capsys):
    output = tmp_path / "accuracy.json"
    assert main([str(data), str(EMBEDDED), "-o", str(output)]) == 0
    (row,) = json.loads(output.read_text())["models"]
    assert row["parameters"] > 1000
    assert row["kaggle"]["asked = 8"]["faces"] == 2
    assert row["helen"]["annotated square"]["found"] == 1
    # One photo, whose mean difference is removed: nothing is left.
    assert row["helen"]["annotated square"]["error"] == pytest.approx(0, abs=1e-4)
    assert row["helen"]["turned by 45°"]["error"] < 0.15
    assert row["helen"]["share_inside_error"]["all"] == 1
    assert 0 <= row["face_score"]["all"] <= 1
    printed = capsys.readouterr().out
    assert "helen, 24 px wide" in printed


def test_missing_data_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_submission_holds_what_the_table_asks_for(tmp_path, capsys):
    images, keypoints = make_faces(3)
    _, pictures = write_annotated(tmp_path, images, keypoints, [30] * 3)
    lookup, output = tmp_path / "lookup.csv", tmp_path / "submission.csv"
    lookup.write_text(
        f"RowId,ImageId,FeatureName,Location\n1,0,{COLUMNS[0]},\n2,2,{COLUMNS[29]},\n"
    )
    assert submission.main([str(pictures), str(lookup), "-o", str(output)]) == 0
    rows = list(csv.DictReader(output.read_text().splitlines()))
    points = predict_crops(KeypointModel(EMBEDDED), images)[0].reshape(3, 30)
    assert [row["RowId"] for row in rows] == ["1", "2"]
    assert float(rows[0]["Location"]) == pytest.approx(points[0, 0], abs=1e-3)
    assert float(rows[1]["Location"]) == pytest.approx(points[2, 29], abs=1e-3)
    lookup.write_text("RowId,ImageId,FeatureName,Location\n1,77,nose_tip_x,\n")
    assert submission.main([str(pictures), str(lookup), "-o", str(output)]) == 1
    assert "77" in capsys.readouterr().err


def test_submitted_values_lie_in_the_picture(tmp_path, monkeypatch):
    def outside(self, faces):
        points = np.full((len(faces), 15, 2), 300.0, np.float32)
        points[..., 1] = -5
        return points, np.ones((len(faces), 15), np.float32), np.ones(len(faces), np.float32)

    monkeypatch.setattr(KeypointModel, "__call__", outside)
    images, keypoints = make_faces(1)
    _, pictures = write_annotated(tmp_path, images, keypoints, [30])
    lookup, output = tmp_path / "lookup.csv", tmp_path / "submission.csv"
    rows = [f"{i},0,{name}," for i, name in enumerate(COLUMNS)]
    lookup.write_text("\n".join(["RowId,ImageId,FeatureName,Location", *rows]))
    assert submission.main([str(pictures), str(lookup), "-o", str(output)]) == 0
    assert {float(row["Location"]) for row in csv.DictReader(output.read_text().splitlines())} == {
        0.0,
        96.0,
    }
