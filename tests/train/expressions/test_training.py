import numpy as np
import pytest

from edge.analysis.expression_frame import USED
from train.errors import DataError
from train.expressions import __main__ as command
from train.expressions.network import Network
from train.expressions.training import Settings, Trained, train
from train.expressions.units import EXPRESSIONS, activations, draw_weights, units
from train.expressions.views import HeadModel, PointErrors, express, project, read_heads

NAMES = sorted({shape for shapes in EXPRESSIONS.values() for shape in shapes} | {"jawLeft"})


@pytest.fixture
def model():
    """A head of random points, each of whose shapes moves three points of its own."""
    rng = np.random.default_rng(0)
    neutral = rng.normal(0, 4, (len(USED), 3)).astype(np.float32)
    shapes = np.zeros((len(NAMES), len(USED), 3), np.float32)
    for i, shape in enumerate(shapes):
        shape[[0, *range(20)][i % 20] :: 20] = (0, 3, 0)
    return HeadModel(neutral, np.zeros((2, len(USED), 3), np.float32), shapes, NAMES, 9.0)


def test_half_of_the_heads_have_the_expression_that_is_asked_for():
    rng = np.random.default_rng(1)
    number = list(EXPRESSIONS).index("jaw_open")
    weights = draw_weights(rng, 4000, NAMES, number)
    found = activations(weights, NAMES)[:, number]
    assert (found > 0).mean() == pytest.approx(0.5, abs=0.01)
    assert found[found > 0].mean() == pytest.approx(0.5, abs=0.03)
    assert ((weights > 0).sum(axis=1) <= 12).all()


def test_an_activation_is_the_weight_of_its_shapes():
    weights = np.zeros((1, len(NAMES)), np.float32)
    weights[0, NAMES.index("mouthSmile_L")] = 0.6
    weights[0, NAMES.index("mouthFunnel")] = 0.7
    found = dict(zip(EXPRESSIONS, activations(weights, NAMES)[0].tolist(), strict=True))
    assert found["smile"] == pytest.approx(0.3)
    assert found["pout"] == pytest.approx(0.7)
    assert found["jaw_open"] == 0


def test_each_shape_belongs_to_a_unit():
    assert {i for shapes in units(NAMES) for i in shapes} == set(range(len(NAMES)))


def test_heads_are_seen_without_roll(model):
    rng = np.random.default_rng(2)
    heads = np.repeat(model.neutral[None], 500, axis=0)
    seen = project(rng, heads)
    assert seen.shape == (500, len(USED), 2)
    assert np.abs(seen.mean(axis=(0, 1))).max() < 1
    weights = np.zeros((500, len(NAMES)), np.float32)
    np.testing.assert_allclose(express(heads, weights, model), heads)


def test_the_errors_are_those_measured():
    errors = PointErrors(np.random.default_rng(3), 4000, 9.0)
    found = errors.draw() / 9.0
    brow = found[:, USED.index(19)].std(axis=0)
    np.testing.assert_allclose(brow, np.hypot((0.029, 0.021), (0.016, 0.017)), rtol=0.05)
    again = errors.draw() / 9.0
    chin = np.corrcoef(found[:, 0, 0], again[:, 0, 0])[0, 1]  # half of the variance lasts
    assert chin == pytest.approx(0.5, abs=0.05)


def test_a_network_learns_a_function():
    rng = np.random.default_rng(4)
    network = Network(rng, 2, 16, 1)
    inputs = rng.uniform(-1, 1, (512, 2)).astype(np.float32)
    targets = np.abs(inputs[:, :1])
    for _ in range(600):
        network.train(inputs, targets, 5e-3)
    assert np.abs(network(inputs) - targets).mean() < 0.03


def test_training_ends_with_correlations_on_other_heads(model):
    settings = Settings(heads=400, test_heads=60, hidden=8, steps=20, batch=64)
    trained = train(model, settings)
    assert trained.correlations.shape == (2, len(EXPRESSIONS))
    assert (np.abs(trained.correlations) <= 1).all()


def test_only_what_can_be_told_is_written(tmp_path):
    network = Network(np.random.default_rng(5), 2 * len(USED), 8, len(EXPRESSIONS))
    correlations = np.zeros((2, len(EXPRESSIONS)))
    correlations[0, 1] = 0.95
    scale = np.full(2 * len(USED), 2.0, np.float32)
    path = tmp_path / "network.npz"
    reference = np.zeros((len(USED), 2), np.float32)
    command.write(Trained(network, scale, correlations), reference, path)
    with np.load(path) as file:
        assert file["names"].tolist() == [list(EXPRESSIONS)[1]]
        np.testing.assert_allclose(file["weights0"], network.layers[0] / 2, atol=1e-3)
        assert file["weights2"].shape == (8, 1)


def test_a_file_that_is_no_head_model_is_one_line(tmp_path, capsys):
    path = tmp_path / "heads.npz"
    path.write_bytes(b"no")
    with pytest.raises(DataError, match="cannot be read as a head model"):
        read_heads(path)
    assert command.main([str(path), str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
