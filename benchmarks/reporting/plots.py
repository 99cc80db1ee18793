"""Plots of results as SVG elements that can be embedded in an HTML page."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

mpl.use("Agg")
# A palette that colour-blind people can distinguish (Okabe and Ito, 2008).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vP*X<>"
_SIZE = (7.2, 3.6)  # inches
_MIN_KEYPOINTS = 10  # methods with fewer are not comparable in accuracy
_STYLE = {
    "axes.prop_cycle": cycler(linestyle=("-", "--", ":")) * cycler(color=_COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "svg.hashsalt": "edge-keypoints",  # makes the output reproducible
    "svg.fonttype": "none",
}


def latency_curves(results: dict[str, Any]) -> str:
    """Cumulative distribution of the latency, one thread."""

    def draw(axes: Axes) -> None:
        for row in results["single_stream"]:
            if row["threads"] == 1:
                curve = row["curve_ms"]
                axes.plot(curve, np.linspace(0, 100, len(curve)), label=row["what"])
        axes.set(xlabel="ms", ylabel="% of calls", xscale="log")
        axes.xaxis.set_major_formatter("{x:g}")

    return _plot(draw)


def throughput(results: dict[str, Any]) -> str:
    """Faces per second against the batch size."""

    def draw(axes: Axes) -> None:
        lines: dict[str, list[tuple[int, float]]] = {}
        for row in results["offline"]:
            name = f"{row['model']}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}"
            lines.setdefault(name, []).append((row["batch"], row["faces_a_second"]))
        for name, points in lines.items():
            axes.plot(*zip(*points, strict=True), marker=".", label=name)
        axes.set(xlabel="faces at once", ylabel="faces a second")
        axes.set_xscale("log", base=2)
        axes.set_ylim(bottom=0)

    return _plot(draw)


def accuracy_against_latency(results: dict[str, Any]) -> str:
    """Each method's error on helen against its time per photo, one core; "" without peers."""
    rows = _comparable_rows(results)

    def draw(axes: Axes) -> None:
        for i, row in enumerate(rows):
            axes.plot(row["latency"]["p50_ms"], 100 * row["accuracy"]["error"],
                      _MARKERS[i % len(_MARKERS)], label=row["way"], linestyle="none")  # fmt: skip
        axes.set(xlabel="ms a photo, one core", ylabel="error, % of the outer-eye distance")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))
        axes.minorticks_off()  # their labels would overlap
        axes.xaxis.set_major_formatter("{x:g}")

    return _plot(draw) if rows else ""


def error_curves(results: dict[str, Any]) -> str:
    """Cumulative distribution of the error over all faces, found or not; "" without peers."""
    rows = _comparable_rows(results)

    def draw(axes: Axes) -> None:
        for row in rows:
            measured = row["accuracy"]
            share = 100 * measured["found"] / measured["faces"]
            curve = 100 * np.array(measured["curve"])
            axes.plot(curve, np.linspace(0, share, len(curve)), label=row["way"])
        axes.set(xlabel="error, % of the outer-eye distance", ylabel="% of faces", xlim=(0, 10))

    return _plot(draw) if rows else ""


def stages(results: dict[str, Any]) -> str:
    """Median time of each stage of a photo."""

    def draw(axes: Axes) -> None:
        rows = results["stages"]
        names = list(rows)[::-1]
        bars = axes.barh(names, [rows[name]["p50_ms"] for name in names], color=_COLOURS[0])
        axes.bar_label(bars, fmt=" %.2f")
        axes.set(xlabel="ms")

    return _plot(draw)


def small_faces(results: dict[str, Any]) -> str:
    """Share of faces found by their width at 320 px; of the results of `benchmarks.detection`."""

    def draw(axes: Axes) -> None:
        for row in results["detectors"]:
            if row["detect_size"] == 320:
                widths, shares = zip(*row["small_faces"].items(), strict=True)
                axes.plot(widths, 100 * np.array(shares), marker=".", label=row["detector"])
        axes.set(xlabel="width of a face, px", ylabel="% found")

    return _plot(draw)


def _comparable_rows(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of methods that predict most keypoints."""
    measured = [row for row in results["peers"] if "error" in row.get("accuracy", {})]
    return [row for row in measured if row["accuracy"]["keypoints"] >= _MIN_KEYPOINTS]


def _plot(draw: Callable[[Axes], None]) -> str:
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        draw(axes)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]  # without the XML declaration
