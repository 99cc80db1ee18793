"""Training of the expression network on drawn heads, and its test on other heads.

Legend: N faces, P points (52), D inputs (104), K expressions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.analysis.expression_frame import deviations
from train.expressions.network import Network
from train.expressions.units import activations, draw_weights
from train.expressions.views import HeadModel, PointErrors, draw_people, express, project

Array = NDArray[np.float32]

_NEUTRAL_VIEWS = 4  # whose mean output stands for a person's running neutral, in the test


@dataclass(frozen=True, slots=True)
class Settings:
    """How the network is trained.

    Attributes:
        heads: that are drawn.
        test_heads: for the test of each expression.
        hidden: units of each of the two layers.
        steps: of Adam.
        batch: heads of a step.
        rate: of the first step; it falls to 0 as a cosine.
        seed: of all that is drawn.
    """

    heads: int = 80_000
    test_heads: int = 1_000
    hidden: int = 96
    steps: int = 6_000
    batch: int = 512
    rate: float = 2e-3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Examples:
    """Faces with expressions, and the same people without.

    Attributes:
        inputs: `(N, D)`.
        neutral: `(V, N, D)`, the people in V other views.
        targets: `(N, K)` 0–1.
    """

    inputs: Array
    neutral: Array
    targets: Array


@dataclass(frozen=True, slots=True)
class Trained:
    """A network, and how well it does on heads that it was not trained on.

    Attributes:
        network: takes inputs over `scale`.
        scale: `(D,)`, the standard deviations of the inputs.
        correlations: `(2, K)`, see `test`.
    """

    network: Network
    scale: Array
    correlations: NDArray[np.float64]


def draw_examples(
    rng: np.random.Generator,
    model: HeadModel,
    count: int,
    neutral_views: int = 0,
    expression: int | None = None,
) -> Examples:
    """Draw people, expressions as `draw_weights`, poses and errors."""
    weights = draw_weights(rng, count, model.names, expression)
    people = draw_people(rng, model, count)
    errors = PointErrors(rng, count, model.width)

    def seen(heads: Array) -> Array:
        return deviations(project(rng, heads) + errors.draw(), model.reference)

    neutral = [seen(people) for _ in range(neutral_views)]
    inputs = seen(express(people, weights, model))
    return Examples(inputs, np.array(neutral, np.float32), activations(weights, model.names))


def train(model: HeadModel, settings: Settings) -> Trained:
    """Train, and test on heads that were not trained on."""
    rng = np.random.default_rng(settings.seed)
    data = draw_examples(rng, model, settings.heads)
    scale = data.inputs.std(axis=0)
    network = Network(rng, data.inputs.shape[1], settings.hidden, data.targets.shape[1])
    for step in range(settings.steps):
        rate = settings.rate * (1 + np.cos(np.pi * step / settings.steps)) / 2
        chosen = rng.integers(0, len(data.inputs), settings.batch)
        network.train(data.inputs[chosen] / scale, data.targets[chosen], rate)
    return Trained(network, scale, test(rng, model, network, scale, settings.test_heads))


def test(
    rng: np.random.Generator, model: HeadModel, network: Network, scale: Array, count: int
) -> NDArray[np.float64]:
    """Correlations `(2, K)` with the truth on heads, of which half have the expression.

    Activations are cut to 0–1; in the second row a person's neutral is taken off first.
    """
    columns = []
    for number in range(len(network.layers[-1])):
        heads = draw_examples(rng, model, count, _NEUTRAL_VIEWS, number)
        found = network(heads.inputs / scale)[:, number]
        neutral = np.mean([network(view / scale)[:, number] for view in heads.neutral], axis=0)
        truth = heads.targets[:, number]
        columns.append([_correlation(found, truth), _correlation(found - neutral, truth)])
    return np.array(columns).T


def _correlation(found: Array, truth: Array) -> float:
    return float(np.corrcoef(np.clip(found, 0, 1), truth)[0, 1])
