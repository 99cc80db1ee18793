"""`python -m train.head_shape HEADS`: the tables of `edge/geometry/head_shape.py`.

The covariance of the 15 keypoints over people and expressions follows in closed form from the
model: identity weights are independent normal, some of the heads have `EXPRESSIONS` different
expressions with uniform weights, the others none, and on top of that people smile, with both sides
of the mouth, as they do in photos: without it, a smile is taken for a bowed head.

Legend: I identities, E expressions, P points of the model (68), K keypoints (15).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.geometry.head_shape import UNIT_CM, half_coordinates
from train.data.annotation_schemes import from_68
from train.errors import DataError
from train.exit_status import report

IDENTITY_DEVIATION = 0.8  # of the identity weights: that of the model's published heads
EXPRESSIONS = 3  # expressions at once on a head that has any
EXPRESSION_WEIGHTS = (0.2, 1.0)  # lowest and highest
EXPRESSIVE = 0.4  # share of heads with expressions
SMILE = ("mouthSmile_L", "mouthSmile_R")
SMILE_DEVIATION = 1.0  # of the common weight of these two
_ARRAYS = ("neutral68", "identity68", "expression68")
_WIDTH = 100  # characters of a line


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.head_shape",
        description="Print the tables of edge/geometry/head_shape.py: mean and covariance of a "
        "head model at the 15 keypoints.",
    )
    parser.add_argument(
        "heads",
        metavar="HEADS.npz",
        type=Path,
        help="neutral68 (68, 3), identity68 (I, 68, 3) and expression68 (E, 68, 3), in cm: x to "
        "the subject's left, y down, z away from the viewer; and expression_names (E,)",
    )
    return parser.parse_args(argv)


def keypoints_covariance(
    identities: NDArray[np.float64], expressions: NDArray[np.float64], smile: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The covariance of the keypoints over people and expressions.

    Args:
        identities: `(I, 15, 3)` cm, displacements by a weight of 1.
        expressions: `(E, 15, 3)` cm, likewise.
        smile: `(E,)`, the expressions that make up a smile.

    Returns:
        float64 `(45, 45)` cm², coordinates in the order of `(15, 3)`.
    """
    people = identities.reshape(len(identities), -1) * IDENTITY_DEVIATION
    expressions = expressions.reshape(len(expressions), -1)
    smiling = expressions[smile].sum(axis=0) * SMILE_DEVIATION
    others = _expression_covariance(expressions)
    return np.asarray(people.T @ people + others + np.outer(smiling, smiling))


def _expression_covariance(expressions: NDArray[np.float64]) -> NDArray[np.float64]:
    count = len(expressions)
    chosen = min(EXPRESSIONS, count)
    low, high = EXPRESSION_WEIGHTS
    mean, square = (low + high) / 2, (low**2 + low * high + high**2) / 3
    once = EXPRESSIVE * chosen / count  # probability that a head has a given expression
    both = once * (chosen - 1) / max(count - 1, 1)  # and another given one
    weights = np.full((count, count), both * mean**2)
    np.fill_diagonal(weights, once * square)
    weights -= (once * mean) ** 2
    return np.asarray(expressions.T @ weights @ expressions)


def run(heads: Path) -> str:
    """The two tables as Python source.

    Raises:
        DataError: the file cannot be read or lacks an array.
    """
    try:
        with np.load(heads) as file:
            neutral, identities, expressions = (
                from_68(file[name].reshape(-1, 68, 3)).astype(np.float64) for name in _ARRAYS
            )
            smile = np.isin(file["expression_names"], SMILE)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{heads}: cannot be read as a head model ({error})") from error
    covariance = keypoints_covariance(identities, expressions, smile)
    tables = [f"MEAN: {np.round(neutral[0], 2).tolist()}"]
    for name, basis in zip(("SYMMETRIC", "ANTISYMMETRIC"), half_coordinates(), strict=True):
        factor = np.linalg.cholesky(basis @ covariance @ basis.T)
        lower = factor[np.tril_indices(len(factor))] / UNIT_CM
        tables.append(f"{name}:\n{_wrap(np.rint(lower).astype(int).tolist())}")
    return "\n".join(tables)


def _wrap(numbers: list[int]) -> str:
    lines = [""]
    for number in numbers:
        word = f"{number}, "
        if len(lines[-1]) + len(word) > _WIDTH - 4:
            lines.append("")
        lines[-1] += word
    return "\n".join(f"    {line.rstrip()}" for line in lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: run(args.heads))


if __name__ == "__main__":
    sys.exit(main())
