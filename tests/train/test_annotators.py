import json

import numpy as np
import pytest

pytest.importorskip("pandas")

from edge.evaluation.annotation_offsets import add_offsets
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER
from edge.networks.keypoint_model import EMBEDDED
from tests.made_faces import MEAN_FACE, make_faces, write_csv
from train.annotators import main, to_common_scheme
from train.data.annotation_schemes import read_annotators


def test_offsets_convert_the_labels_of_all_groups_to_one_scheme(rng):
    predicted = MEAN_FACE + rng.normal(0, 3, size=(40, 1, 2)).astype(np.float32)
    group = np.repeat([0, 1], [30, 10])
    offsets = rng.normal(0, 0.03, size=(2, 15, 2))
    labels = np.concatenate([add_offsets(predicted[group == g], offsets[g]) for g in (0, 1)])
    first, second, others = to_common_scheme(predicted, labels, group)
    together = np.concatenate(
        [add_offsets(labels[group == g], o) for g, o in ((0, first), (1, second))]
    )  # fmt: skip
    # The labels' own frames are moved with the corners of the eyes, hence not to the last digit.
    np.testing.assert_allclose(together, add_offsets(predicted, others), atol=0.3)
    np.testing.assert_allclose(others, others[list(MIRROR_ORDER)] * [-1, 1], atol=1e-9)
    top = KEYPOINT_NAMES.index("mouth_center_top_lip")
    assert others[top, 1] == pytest.approx(
        (offsets[0] * 0.75 + offsets[1] * 0.25)[top, 1], abs=1e-6
    )


def test_the_committed_offsets_move_kaggles_two_groups_to_the_middle_of_the_lips():
    bottom = KEYPOINT_NAMES.index("mouth_center_bottom_lip")
    outer, inner, converted = (
        read_annotators(name)[bottom, 1] for name in ("kaggle_1", "kaggle_2", "converted")
    )
    assert outer == pytest.approx(converted, abs=0.002)  # both label the outer edge
    assert outer < 0 < inner
    assert 1569 * outer + 571 * inner == pytest.approx(0, abs=2.5)  # the mean row is not moved


def test_the_command_prints_the_format_of_the_committed_file(tmp_path, capsys):
    path = write_csv(tmp_path / "training.csv", *make_faces(6))
    assert main([str(EMBEDDED), "--data", str(path), "--from-row", "4"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert list(table) == ["group_1", "group_2", "converted"]
    assert list(table["converted"]) == list(KEYPOINT_NAMES)


@pytest.mark.parametrize("row", ["1", "7"])
def test_an_empty_group_is_an_error_of_one_line(row, tmp_path, capsys):
    path = write_csv(tmp_path / "training.csv", *make_faces(6))
    assert main([str(EMBEDDED), "--data", str(path), "--from-row", row]) == 1
    assert "6 complete rows" in capsys.readouterr().err
