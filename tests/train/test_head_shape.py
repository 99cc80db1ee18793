import numpy as np
import pytest

from edge.geometry.head_shape import half_coordinates
from train import head_shape
from train.errors import DataError


def test_the_covariance_is_that_of_many_drawn_heads(monkeypatch):
    rng = np.random.default_rng(0)
    identities, expressions = rng.normal(size=(3, 15, 3)), rng.normal(size=(5, 15, 3))
    smile = np.array([False, True, True, False, False])
    covariance = head_shape.keypoints_covariance(identities, expressions, smile)
    count = 60_000
    weights = rng.uniform(*head_shape.EXPRESSION_WEIGHTS, size=(count, 5))
    rank = rng.permuted(np.tile(np.arange(5), (count, 1)), axis=1)
    has_any = rng.random((count, 1)) < head_shape.EXPRESSIVE
    weights *= (rank < head_shape.EXPRESSIONS) & has_any
    smiling = rng.normal(0, head_shape.SMILE_DEVIATION, (count, 1)) * smile
    heads = (weights + smiling) @ expressions.reshape(5, -1)
    people = rng.normal(0, head_shape.IDENTITY_DEVIATION, (count, 3))
    drawn = np.cov((heads + people @ identities.reshape(3, -1)).T)
    assert np.abs(drawn - covariance).max() < 0.04 * np.abs(covariance).max()


def test_the_tables_are_the_model(tmp_path):
    rng = np.random.default_rng(1)
    neutral, identities = rng.normal(size=(68, 3)), rng.normal(size=(60, 68, 3))
    path = tmp_path / "heads.npz"
    np.savez(path, neutral68=neutral, identity68=identities, expression68=np.zeros((2, 68, 3)),
             expression_names=np.array(["mouthSmile_L", "mouthSmile_R"]))  # fmt: skip
    mean, _, *lines = head_shape.run(path).splitlines()
    assert f"[{neutral[45, 0]:.2f}, {neutral[45, 1]:.2f}, {neutral[45, 2]:.2f}]" in mean
    assert all(len(line) <= 100 for line in lines)
    split = lines.index("ANTISYMMETRIC:")
    for part, basis in zip((lines[:split], lines[split + 1 :]), half_coordinates(), strict=True):
        numbers = [int(word) for word in "".join(part).replace(",", " ").split()]
        factor = np.zeros((len(basis), len(basis)))
        factor[np.tril_indices(len(basis))] = np.array(numbers) / 1000
        from train.data.annotation_schemes import from_68

        people = from_68(identities).reshape(60, -1) * head_shape.IDENTITY_DEVIATION
        expected = basis @ people.T @ people @ basis.T
        np.testing.assert_allclose(factor @ factor.T, expected, atol=0.03)


def test_a_file_that_is_no_head_model_is_an_error(tmp_path, capsys):
    (tmp_path / "heads.npz").write_bytes(b"no")
    with pytest.raises(DataError, match="cannot be read as a head model"):
        head_shape.run(tmp_path / "heads.npz")
    assert head_shape.main([str(tmp_path / "heads.npz")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
