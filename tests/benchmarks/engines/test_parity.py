import numpy as np

from benchmarks.engines.parity import compare_boxes, compare_keypoints


def test_the_distances_of_keypoints_are_those_between_the_points():
    ours = np.zeros((1, 15, 2), np.float32)
    theirs = ours.copy()
    theirs[0, 4] = (3, 4)  # 5 px away, 1 of 30 points of two crops
    answers = {
        "onnxruntime_0_keypoints": ours, "onnxruntime_1_keypoints": ours,
        "engine_0_keypoints": theirs, "engine_1_keypoints": ours[0],  # an engine without a batch
    }  # fmt: skip
    assert compare_keypoints(answers, 2) == {"mean_px": round(5 / 30, 4), "max_px": 5.0}


def test_boxes_are_matched_and_only_sure_ones_count():
    face = [10.0, 10, 20, 20]
    ours = [(np.array([face, [100, 100, 9, 9]]), np.array([0.9, 0.4])), (np.array([face]), [0.8])]
    moved = [(np.array([[10, 12, 20, 20]]), np.array([0.9])), (np.array([[60, 60, 9, 9]]), [0.7])]
    both = [[(boxes, np.asarray(scores)) for boxes, scores in found] for found in (ours, moved)]
    assert compare_boxes(*both) == {"faces": 2, "found": 1, "extra": 1, "max_px": 2.0}
