import numpy as np
import pytest

from benchmarks.evaluation.mesh_map import cross_fit
from edge.geometry.affine import transform
from edge.geometry.similarity import similarity


def make_faces(rng, count=60):
    """Faces of 40 points, and 5 target points: linear in neighbours, whatever the pose."""
    mean = rng.uniform(-50, 50, (40, 2))
    shapes = mean + rng.normal(0, 2, (count, 40, 2))
    targets = shapes[:, :5] * 0.75 + shapes[:, 5:10] * 0.25 + np.array([4.0, -3.0])
    poses = [
        similarity(rng.uniform(0.5, 2), rng.uniform(-30, 30), (0.0, 0.0), (rng.uniform(0, 90), 5.0))
        for _ in range(count)
    ]
    return (
        np.stack([transform(pose, shape) for pose, shape in zip(poses, shapes, strict=True)]),
        np.stack([transform(pose, points) for pose, points in zip(poses, targets, strict=True)]),
    )


def test_points_that_are_linear_in_the_others_are_predicted_at_any_pose(rng, monkeypatch):
    monkeypatch.setattr("benchmarks.evaluation.mesh_map._NEIGHBOURS", 40)
    monkeypatch.setattr("benchmarks.evaluation.mesh_map._RIDGE", 1e-9)
    points, targets = make_faces(rng, 300)
    mapped = cross_fit(points, targets)
    # Faces are tens of px wide; the frame in which the map is fitted depends on each face's noise.
    assert np.abs(mapped - targets).max() < 1.0
    offset = np.abs(points[:, :5] - targets).mean()
    assert np.abs(mapped - targets).mean() < offset / 20


def test_a_face_is_predicted_by_the_other_folds_alone(rng):
    points, targets = make_faces(rng)
    before = cross_fit(points, targets)
    changed = targets.copy()
    changed[7] += 1000  # fold 2
    after = cross_fit(points, changed)
    np.testing.assert_array_equal(after[2::5], before[2::5])
    assert not np.array_equal(after[3], before[3])


def test_too_few_faces_are_an_error(rng):
    points, targets = make_faces(rng, 4)
    with pytest.raises(ValueError, match="4 faces; at least 5"):
        cross_fit(points, targets)
