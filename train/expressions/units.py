"""Which shapes of the head model make up an expression, and how weights of expressions are drawn.

Legend: N heads, E shapes of the model, U units, K expressions that are learnt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Expressions that the network learns, and the shapes whose mean weight each is. Those that points
# with their errors cannot tell are learnt beside the others, and not offered. Closed eyes are not
# learnt, as the embedded network's points hardly follow lids.
EXPRESSIONS = {
    "smile": ("mouthSmile_L", "mouthSmile_R"),
    "jaw_open": ("jawOpen",),
    "pout": ("mouthPucker", "mouthFunnel"),
    "mouth_left": ("mouthLeft",),
    "mouth_right": ("mouthRight",),
    "mouth_frown": ("mouthFrown_L", "mouthFrown_R"),
    "mouth_stretch": ("mouthStretch_L", "mouthStretch_R"),
    "lips_rolled": ("mouthRollLower", "mouthRollUpper"),
    "upper_lip_raise": ("mouthUpperUp_L", "mouthUpperUp_R"),
    "nose_sneer": ("noseSneer_L", "noseSneer_R"),
    "brow_raise": ("browInnerUp_L", "browInnerUp_R", "browOuterUp_L", "browOuterUp_R"),
    "brow_frown": ("browDown_L", "browDown_R"),
}
# Shapes that the points do not show, and one that only undoes another.
_LEFT_OUT = ("PupilDilate", "cheekPuff", "mouthClose")
_COMMON = 0.75  # of the draws are of an expression that is learnt, the others of any unit
MOST_AT_ONCE = 3  # expressions of one head, as of the model's published heads
_APART = 0.1  # standard deviation between the weights of the shapes of one expression


def units(names: Sequence[str]) -> list[tuple[int, ...]]:
    """The shapes that are drawn together: those of each expression, then each other by its sides.

    Args:
        names: of the model's shapes, in order.
    """
    learnt = [tuple(names.index(shape) for shape in shapes) for shapes in EXPRESSIONS.values()]
    stems: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        if not name.startswith(_LEFT_OUT):
            stems.setdefault(name.removesuffix("_L").removesuffix("_R"), []).append(i)
    others = [tuple(shapes) for shapes in stems.values() if tuple(shapes) not in learnt]
    return learnt + others


def draw_weights(
    rng: np.random.Generator, count: int, names: Sequence[str], expression: int | None = None
) -> NDArray[np.float32]:
    """Weights `(N, E)` of the shapes: of each head up to three expressions, each from 0 to 1.

    Args:
        rng: draws them.
        count: N.
        names: of the model's shapes, in order.
        expression: its number, if half of the heads are to have this one; None for no preference.
    """
    groups = units(names)
    chosen = np.where(
        rng.random((count, MOST_AT_ONCE)) < _COMMON,
        rng.integers(0, len(EXPRESSIONS), (count, MOST_AT_ONCE)),
        rng.integers(0, len(groups), (count, MOST_AT_ONCE)),
    )
    chosen[np.arange(MOST_AT_ONCE) >= rng.integers(0, MOST_AT_ONCE + 1, (count, 1))] = -1
    if expression is not None:
        chosen[chosen == expression] = -1
        chosen[: count // 2, 0] = expression
    weights = np.zeros((count, len(names)), np.float32)
    for number, shapes in enumerate(groups):
        heads = np.flatnonzero((chosen == number).any(axis=1))
        apart = rng.normal(0, _APART, (len(heads), len(shapes))) * (len(shapes) > 1)
        drawn = np.clip(rng.random((len(heads), 1)) + apart, 0, 1)
        cells = heads[:, None], list(shapes)
        weights[cells] = np.maximum(weights[cells], drawn)
    return weights


def activations(weights: NDArray[np.floating], names: Sequence[str]) -> NDArray[np.float32]:
    """How far each expression is there, `(N, K)` 0–1: the mean weight of its shapes.

    Of the two ways to pout, lips pursed and lips like a funnel, the stronger one counts.
    """
    columns = []
    for name, shapes in EXPRESSIONS.items():
        chosen = weights[:, [names.index(shape) for shape in shapes]]
        columns.append(chosen.max(axis=1) if name == "pout" else chosen.mean(axis=1))
    return np.stack(columns, axis=1).astype(np.float32)
