import json

import pytest

pytest.importorskip("fastapi")

import edge
from edge.geometry.points68 import MIRROR_ORDER_68
from edge.serve import client_config
from edge.serve.client_config import browser_obstacle, describe_server
from edge.serve.limits import Limits
from tests.made_models import ERROR90


@pytest.fixture
def description(detect):
    return describe_server(detect, Limits(), live=False)


def test_the_networks_are_described_by_their_metadata(description, detect):
    assert description["version"] == edge.__version__
    assert description["keypoints"] == {"file": "keypoints.onnx", **detect.model.metadata}
    assert description["detector"] == {"file": "face.onnx", **detect.face_detector.metadata}


def test_a_detector_that_is_no_network_has_no_description():
    detect = edge.FaceKeypoints(detector="none", precision="fp32")
    assert describe_server(detect, Limits(), live=True)["detector"] is None


def test_the_keys_of_the_limits_are_those_that_clients_know(description):
    assert description["limits"] == {
        "body_bytes": 32_000_000,
        "pixels": 50_000_000,
        "side": 16_384,
        "pictures": 16,
        "crops": 1024,
        "queue": 64,
        "queue_bytes": 128_000_000,
        "room_bytes": 200_000_000,
        "body_seconds": 15.0,
        "answer_seconds": 30.0,
        "send_seconds": 30.0,
        "viewers": 16,
        "batch_seconds": 0.0,
    }


def test_the_keys_of_the_settings_are_those_that_the_page_reads(description):
    settings = description["settings"]
    assert list(settings) == [
        "keypoint_names", "error90", "points68", "states", "webgpu", "crop", "min_score",
        "max_faces", "max_shared", "unsure", "duplicates", "joint", "detect_size", "detector",
        "box", "mean_face", "looks", "measures",
    ]  # fmt: skip
    assert settings["keypoint_names"] == list(edge.KEYPOINT_NAMES)
    assert settings["looks"] == {
        "most": 4, "max_tilt_deg": 15.0, "max_log_scale": 0.15, "max_shift": 0.06, "min_score": 0.1,
        "fused_limits": 1.5, "sure_error": 1 / 60, "mirror_order_68": list(MIRROR_ORDER_68),
    }  # fmt: skip
    assert list(settings["states"]) == [
        "closed_opening", "yawn_opening", "straight_deg", "measures", "shares", "quality",
    ]  # fmt: skip
    assert settings["joint"] == {"detector_score": 2 / 3, "keypoints_box": 0.25}


def test_the_68_points_and_the_factors_of_the_90_percent_radius_are_those_of_the_model(detect68):
    settings = describe_server(detect68, Limits(), live=False)["settings"]
    assert settings["error90"] == pytest.approx(ERROR90.tolist())
    assert settings["points68"]["available"]
    assert settings["points68"]["requested"]
    assert settings["points68"]["lines"][5] == [36, 41, True]  # the right eye


def test_settings_follow_the_open_models(description):
    detect = edge.FaceKeypoints(precision="fp32", min_score=0.3, max_faces=2, detect_size=640)
    settings = describe_server(detect, Limits(), live=True)["settings"]
    assert (settings["min_score"], settings["max_faces"], settings["detect_size"]) == (0.3, 2, 640)
    unchanged = {"min_score", "max_faces", "detect_size"} ^ set(settings)
    assert {key: settings[key] for key in unchanged} == {
        key: description["settings"][key] for key in unchanged
    }


def test_the_description_is_json(description):
    assert json.loads(json.dumps(description)) == description


def test_the_browser_needs_a_detector_with_a_file():
    detect = edge.FaceKeypoints(detector="none", precision="fp32")
    assert browser_obstacle(detect).endswith("detector that has no .onnx file")


def test_the_browser_needs_onnxruntime_web(detect, tmp_path, monkeypatch):
    monkeypatch.setattr(client_config, "ORT", tmp_path / "ort.mjs")
    assert browser_obstacle(detect) == "onnxruntime-web is not installed; run: make page"
    (tmp_path / "ort.mjs").touch()
    assert browser_obstacle(detect) is None
