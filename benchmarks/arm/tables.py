"""The results of `benchmarks.pi` as Markdown tables, and the requirements that they must meet."""

from __future__ import annotations

from typing import Any

from benchmarks.arm.instruction_count import WORK
from benchmarks.arm.qemu import BOARDS
from benchmarks.reporting.markdown import header, row

# Bounds on the distance of a board's keypoints from this machine's. In fp32 only the order of sums
# differs. In int8 every layer rounds differently; the result must stay within the predicted error.
FP32_BOUND_PX = 0.1
INT8_BOUND_OF_ERROR = 1.0
PRECISIONS = ("fp32", "int8")
_CASES = tuple((board, precision) for board in BOARDS for precision in PRECISIONS)


def table(results: dict[str, Any]) -> str:
    """All results."""
    return f"{versions_table(results)}\n\n{facts_table(results)}"


def versions_table(results: dict[str, Any]) -> str:
    """Agreement with this machine: a row per onnxruntime, a column per board and precision."""
    columns = [f"{board.name}, {precision}" for board, precision in _CASES]
    lines = header("onnxruntime", "numpy", "Pillow", "pictures", *columns)
    for version in results["versions"]:
        names = [version[name] for name in ("onnxruntime", "numpy", "pillow")]
        cells = [_cell(_find(version["runs"], b.processor, p)) for b, p in _CASES]
        lines.append(row(*names, str(version["pictures"]), *cells))
    return "\n".join(lines)


def facts_table(results: dict[str, Any]) -> str:
    """Memory, disk space and instructions with the last version, and the emulated processors."""
    version, has = results["versions"][-1], results["dot_product"]
    rows = [
        ["what", *(board.name for board in BOARDS)],
        ["---"] * (1 + len(BOARDS)),
        ["emulated processor", *(f"`{board.processor}`" for board in BOARDS)],
        ["dot product, tried", *("runs" if has[b.processor] else "refused" for b in BOARDS)],
        *_memory_rows(version),
        _precision_row(version),
    ]
    if not isinstance(results["instructions"], str):
        rows += _instruction_rows(results["instructions"])
    rows.append(_disk_row(version))
    return "\n".join(row(*cells) for cells in rows)


def instruction_table(results: dict[str, Any]) -> str:
    """The numbers of instructions alone."""
    lines = header("what", *(board.name for board in BOARDS))
    return "\n".join(lines + [row(*cells) for cells in _instruction_rows(results["instructions"])])


def _memory_rows(version: dict[str, Any]) -> list[list[str]]:
    native = version["here"]["peak_mb"]
    return [
        [
            f"peak MB with the emulator's, {precision} (x86: {native[precision]:.0f})",
            *(_peak(_find(version["runs"], board.processor, precision)) for board in BOARDS),
        ]
        for precision in PRECISIONS
    ]


def _precision_row(version: dict[str, Any]) -> list[str]:
    """Distance of int8 from this machine's fp32."""
    runs = [_find(version["runs"], board.processor, "int8") for board in BOARDS]
    distances = [run.get("from_fp32_rms_px") for run in runs]
    native = version["here"]["int8_from_fp32_rms_px"]
    cells = ["–" if px is None else f"{px:.2f}" for px in distances]
    return [f"int8 from fp32, root mean square px (x86: {native:.2f})", *cells]


def _instruction_rows(counts: list[dict[str, Any]]) -> list[list[str]]:
    return [
        [
            f"million instructions, {name}, {precision}",
            *(f"{_find(counts, b.processor, precision)[name] / 1e6:.0f}" for b in BOARDS),
        ]
        for name in WORK
        for precision in PRECISIONS
    ]


def _disk_row(version: dict[str, Any]) -> list[str]:
    sizes = version["footprint_mb"]
    parts = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
    return ["MB on disk", *[f"{sum(sizes.values()):.0f} ({parts})"] * len(BOARDS)]


def failures(results: dict[str, Any]) -> list[str]:
    """A line for each requirement that is not met.

    The last version must run; older ones may fail, but results of runs that succeed must agree.
    """
    last = results["versions"][-1]
    stopped = [
        f"{_describe(last, run)}: {run['ended']}" for run in last["runs"] if run["ended"] != "runs"
    ]
    differing = [
        f"{_describe(version, run)}: {_cell(run)}, too far from this machine's results"
        for version in results["versions"]
        for run in version["runs"]
        if run["ended"] == "runs" and not _agrees(run)
    ]
    return stopped + differing


def _describe(version: dict[str, Any], run: dict[str, Any]) -> str:
    return f"onnxruntime {version['onnxruntime']}, {run['processor']}, {run['precision']}"


def _agrees(run: dict[str, Any]) -> bool:
    if run["only_one"]:
        return False
    if run["precision"] == "fp32":
        return bool(run["largest_px"] <= FP32_BOUND_PX)
    return bool(run["largest_of_error"] <= INT8_BOUND_OF_ERROR)


def _cell(run: dict[str, Any]) -> str:
    if run["ended"] != "runs":
        return str(run["ended"])
    unmatched = f", {run['only_one']} faces in one only" if run["only_one"] else ""
    of_error = "" if run["precision"] == "fp32" else f" ({run['largest_of_error']:.2f} of `error`)"
    return f"{run['largest_px']:.2f} px{of_error}{unmatched}"


def _peak(run: dict[str, Any]) -> str:
    return f"{run['peak_mb']:.0f}" if run["ended"] == "runs" else "–"


def _find(rows: list[dict[str, Any]], processor: str, precision: str) -> dict[str, Any]:
    (match,) = (r for r in rows if (r["processor"], r["precision"]) == (processor, precision))
    return match
