"""What `benchmarks.pi` found, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.arm.instruction_count import WORK
from benchmarks.arm.qemu import BOARDS

# How far from this machine's keypoints those of a board may lie. In fp32 only the order of sums
# differs. In int8 processors round differently in every layer; what that moves must stay within the
# radius that holds the truth half of the time.
FP32_BOUND_PX = 0.1
INT8_BOUND_OF_ERROR = 1.0
PRECISIONS = ("fp32", "int8")


def table(results: dict[str, Any]) -> str:
    """Versions tried, and what was measured of the newest."""
    return f"{versions_table(results)}\n\n{facts_table(results)}"


def versions_table(results: dict[str, Any]) -> str:
    """A row for each version of onnxruntime, a column for each board and precision."""
    columns = [f"{board.name}, {precision}" for board in BOARDS for precision in PRECISIONS]
    lines = [
        _row(["onnxruntime", "numpy", "Pillow", "pictures", *columns]),
        "|---" * (4 + len(columns)) + "|",
    ]
    for version in results["versions"]:
        cells = [
            _cell(_of(version["runs"], board.processor, precision))
            for board in BOARDS
            for precision in PRECISIONS
        ]
        names = [version[name] for name in ("onnxruntime", "numpy", "pillow")]
        lines.append(_row([*names, str(version["pictures"]), *cells]))
    return "\n".join(lines)


def facts_table(results: dict[str, Any]) -> str:
    """What the last version tried needs, and what the emulated processors are."""
    version, has = results["versions"][-1], results["dot_product"]
    runs, here = version["runs"], version["here"]
    rows = [
        ["what", *(board.name for board in BOARDS)],
        ["---"] * (1 + len(BOARDS)),
        ["emulated processor", *(f"`{board.processor}`" for board in BOARDS)],
        ["dot product, tried", *("runs" if has[b.processor] else "refused" for b in BOARDS)],
    ]
    for precision in PRECISIONS:
        peaks = [_peak(runs, board.processor, precision) for board in BOARDS]
        native = here["peak_mb"][precision]
        rows.append([f"peak MB with the emulator's, {precision} (x86: {native:.0f})", *peaks])
    moved = [_of(runs, board.processor, "int8").get("from_fp32_rms_px") for board in BOARDS]
    native = here["int8_from_fp32_rms_px"]
    cells = ["–" if px is None else f"{px:.2f}" for px in moved]
    rows.append([f"int8 from fp32, root mean square px (x86: {native:.2f})", *cells])
    if not isinstance(results["instructions"], str):
        rows += _instruction_rows(results["instructions"])
    sizes = version["footprint_mb"]
    shown = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
    rows.append(["MB on disk", *[f"{sum(sizes.values()):.0f} ({shown})"] * len(BOARDS)])
    return "\n".join(map(_row, rows))


def failures(results: dict[str, Any]) -> list[str]:
    """What is not as it must be, a line for each.

    The last version must run; that an older one does not is shown in the table only.
    """
    last = results["versions"][-1]
    wrong = [
        f"onnxruntime {last['onnxruntime']}, {run['processor']}, {run['precision']}: {run['ended']}"
        for run in last["runs"]
        if run["ended"] != "runs"
    ]
    for version in results["versions"]:
        wrong += [
            f"onnxruntime {version['onnxruntime']}, {run['processor']}, {run['precision']}: "
            f"{_cell(run)}, too far from this machine's results"
            for run in version["runs"]
            if run["ended"] == "runs" and not _agrees(run)
        ]
    return wrong


def _agrees(run: dict[str, Any]) -> bool:
    if run["only_one"]:
        return False
    if run["precision"] == "fp32":
        return bool(run["largest_px"] <= FP32_BOUND_PX)
    return bool(run["largest_of_error"] <= INT8_BOUND_OF_ERROR)


def _cell(run: dict[str, Any]) -> str:
    if run["ended"] != "runs":
        return str(run["ended"])
    faces = f", {run['only_one']} faces in one only" if run["only_one"] else ""
    within = "" if run["precision"] == "fp32" else f" ({run['largest_of_error']:.2f} of `error`)"
    return f"{run['largest_px']:.2f} px{within}{faces}"


def _peak(runs: list[dict[str, Any]], processor: str, precision: str) -> str:
    run = _of(runs, processor, precision)
    return f"{run['peak_mb']:.0f}" if run["ended"] == "runs" else "–"


def _of(runs: list[dict[str, Any]], processor: str, precision: str) -> dict[str, Any]:
    (run,) = (r for r in runs if (r["processor"], r["precision"]) == (processor, precision))
    return run


def _instruction_rows(counts: list[dict[str, Any]]) -> list[list[str]]:
    by = {(row["processor"], row["precision"]): row for row in counts}
    return [
        [
            f"million instructions, {name}, {precision}",
            *(f"{by[board.processor, precision][name] / 1e6:.0f}" for board in BOARDS),
        ]
        for name in WORK
        for precision in PRECISIONS
    ]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
