"""`python -m train.expressions HEADS PHOTOS`: the network of `edge.analysis.expressions`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.files import write_atomically
from train.exit_status import report
from train.expressions.neutral_photos import mean_neutral_face
from train.expressions.training import Settings, Trained, train
from train.expressions.units import EXPRESSIONS
from train.expressions.views import read_heads

MIN_CORRELATION = 0.9  # of an expression that is offered
_OUTPUT = Path("edge/data/expressions.npz")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.expressions",
        description="Teach a small network to tell expressions from the 68 points, with heads "
        "drawn from a head model.",
    )
    add = parser.add_argument
    add("heads", metavar="HEADS.npz", type=Path,
        help="neutral68, identity68, expression68 and expression_names")  # fmt: skip
    add("photos", metavar="PHOTOS", type=Path,
        help="permissive/, for neutral faces as the embedded network sees them")  # fmt: skip
    add("-o", "--output", metavar="FILE.npz", type=Path, default=_OUTPUT,
        help="default: %(default)s")  # fmt: skip
    return parser.parse_args(argv)


def run(heads: Path, photos: Path, output: Path, settings: Settings) -> str:
    """Train and write the network; returns the correlations as a table.

    Raises:
        DataError: a file cannot be read.
    """
    model = read_heads(heads)
    reference = mean_neutral_face(photos, model.reference)
    trained = train(model, settings)
    write(trained, reference, output)
    rows = zip(EXPRESSIONS, *trained.correlations, strict=True)
    lines = (f"{name:16} {plain:.3f}  less the neutral {own:.3f}" for name, plain, own in rows)
    return "\n".join(lines)


def write(trained: Trained, reference: NDArray[np.float32], output: Path) -> None:
    """Write the expressions that the network can tell, in half precision."""
    offered = np.flatnonzero(trained.correlations[0] >= MIN_CORRELATION)
    first, *others = trained.network.layers
    layers = [first / trained.scale[:, None], *others]
    layers[4:] = [layers[4][:, offered], layers[5][offered]]
    arrays: dict[str, Any] = {
        "names": np.array(list(EXPRESSIONS))[offered],
        "correlations": trained.correlations[0, offered].astype(np.float32),
        "reference": reference,
    }
    for i in range(3):
        arrays[f"weights{i}"] = layers[2 * i].astype(np.float16)
        arrays[f"bias{i}"] = layers[2 * i + 1].astype(np.float16)
    with write_atomically(output) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: run(args.heads, args.photos, args.output, Settings()))


if __name__ == "__main__":
    sys.exit(main())
