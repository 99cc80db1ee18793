import argparse

import pytest

from edge.cli.exit_status import UsageError
from edge.cli.model_options import add_models, open_models
from edge.errors import ModelError
from edge.networks.face_detector import EMBEDDED as EMBEDDED_DETECTOR
from edge.networks.keypoint_model import EMBEDDED as EMBEDDED_MODEL


def parse(*arguments):
    parser = argparse.ArgumentParser()
    add_models(parser.add_argument_group("models"))
    return parser.parse_args(arguments)


def test_without_options_the_defaults_of_the_api_are_used():
    options = parse()
    assert vars(options) == {
        "model": None, "detector": "face", "precision": "auto", "threads": 1, "min_score": 0.5,
        "max_faces": None, "detect_size": 320, "points68": False, "upright_only": False,
    }  # fmt: skip


def test_options_reach_the_models():
    detect = open_models(
        parse(
            *("--precision", "fp32", "--threads", "2", "--min-score", "0.25"),
            *("--max-faces", "3", "--detect-size", "640", "--upright-only"),
        )
    )
    assert detect.settings.to_dict() == {
        "model": EMBEDDED_MODEL.resolve(), "detector": EMBEDDED_DETECTOR.resolve(),
        "precision": None, "threads": 2, "min_score": 0.25, "max_faces": 3, "detect_size": 640,
        "points68": False, "any_roll": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--threads", "0", "threads must lie between 1 and 256, received 0"),
        ("--min-score", "1.5", "min_score must lie between 0 and 1, received 1.5"),
        ("--max-faces", "0", "max_faces must be at least 1 or None, received 0"),
        ("--detect-size", "8", "detect_size must be at least 32 px, received 8"),
        ("--detector", "cascade", "detector must be face, haar, none or the path"),
    ],
)
def test_a_value_out_of_range_is_a_usage_error(option, value, message):
    with pytest.raises(UsageError, match=message):
        open_models(parse(option, value))


def test_a_missing_model_is_not_a_usage_error(tmp_path):
    with pytest.raises(ModelError, match="no such model file"):
        open_models(parse("--model", str(tmp_path / "none.onnx")))
