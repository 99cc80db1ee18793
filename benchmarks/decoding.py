"""`python -m benchmarks.decoding`: what the loader makes of files damaged at random.

Whatever a decoder does with a damaged file, the loader must return an image or raise ImageError.
Files are made from a seed, so that each can be made again: `damaged_file(samples, seed, number)`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.datasets.mutated_files import damage, encode_samples
from benchmarks.datasets.sample import SAMPLE
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.reporting.markdown import header, row
from edge.errors import ImageError
from edge.image import load_grey

_CHUNK = 500  # files between two looks at whether the process still lives
_DECODED, _REFUSED, _CRASHED = "decoded", "ImageError", "crashed"


def run(count: int, seed: int = 0, workers: int = 1) -> dict[str, Any]:
    """Decode damaged files in processes of their own, which a decoder may end.

    Args:
        count: number of files, the formats in turn.
        seed: of the damage.
        workers: number of processes.
    """
    starts = range(0, count, _CHUNK)
    chunks = [range(start, min(start + _CHUNK, count)) for start in starts]
    outcomes: Counter[tuple[str, str]] = Counter()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _discard_messages) as pool:
        try:
            for counted in pool.map(partial(decode_files, seed=seed), chunks):
                outcomes.update(counted)
        except BrokenProcessPool:
            outcomes["all", _CRASHED] += 1
    formats: dict[str, dict[str, int]] = {}
    for (form, outcome), number in sorted(outcomes.items()):
        formats.setdefault(form, {})[outcome] = number
    return {"machine": describe_machine(threads=1), "seed": seed, "formats": formats}


def _discard_messages() -> None:
    """Discard what decoders print of damaged files, a line for each."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def decode_files(numbers: range, seed: int = 0) -> Counter[tuple[str, str]]:
    """Decode some of the damaged files; counts format and outcome of each."""
    samples = encode_samples(Image.open(SAMPLE).convert("RGB"))
    outcomes: Counter[tuple[str, str]] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of damaged metadata
        for number in numbers:
            form, data = damaged_file(samples, seed, number)
            outcomes[form, decode(data)] += 1
    return outcomes


def damaged_file(samples: dict[str, bytes], seed: int, number: int) -> tuple[str, bytes]:
    """The damaged file of a number: its format, and its bytes."""
    forms = sorted(samples)
    form = forms[number % len(forms)]
    return form, damage(samples[form], np.random.default_rng([seed, number]))


def decode(data: bytes) -> str:
    """What the loader makes of a file: "decoded", "ImageError", or the name of another error."""
    try:
        load_grey(data)
    except ImageError:
        return _REFUSED
    except Exception as error:  # exactly what this command looks for
        return type(error).__name__
    return _DECODED


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    lines = header("format", "files", _DECODED, _REFUSED, "anything else")
    for form, outcomes in results["formats"].items():
        others = {k: n for k, n in outcomes.items() if k not in (_DECODED, _REFUSED)}
        shown = ", ".join(f"{name} {number:,}" for name, number in others.items()) or "none"
        numbers = (sum(outcomes.values()), outcomes.get(_DECODED, 0), outcomes.get(_REFUSED, 0))
        lines.append(row(form, *(f"{number:,}" for number in numbers), shown))
    return "\n".join(lines)


def failures(results: dict[str, Any]) -> list[str]:
    """A line for each format of which a file gave something else than an image or ImageError."""
    return [
        f"{form}: {outcome} from {number:,} files"
        for form, outcomes in results["formats"].items()
        for outcome, number in outcomes.items()
        if outcome not in (_DECODED, _REFUSED)
    ]


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoding", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, metavar="N", help="files")
    parser.add_argument("--seed", type=int, default=0, help="of the damage")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write JSON too")
    args = parser.parse_args(argv)
    return report_results(
        lambda: run(args.count, args.seed, args.workers), table, args.output, failures=failures
    )


if __name__ == "__main__":
    sys.exit(main())
