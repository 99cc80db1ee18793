"""Plots of training data and results, as PNG files.

Legend: N faces, K keypoints, S side of an image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edge.keypoints import KEYPOINT_NAMES
from train.run_record import HISTORY

mpl.use("Agg")  # files only; no display needed

from matplotlib import pyplot as plt
from matplotlib.patches import Ellipse

LEARNING_CURVE = "learning_curve.png"
SIDE_COLOURS = {"left": "#e69f00", "right": "#56b4e9", "middle": "#009e73"}
_DPI = 110


@dataclass(frozen=True, slots=True)
class Marks:
    """One series of marks on a contact sheet.

    Attributes:
        label: its entry in the legend.
        keypoints: float `(N, K, 2)` px, NaN for no mark.
        marker: matplotlib's marker.
        colour: of all marks; None colours them by the subject's side.
    """

    label: str
    keypoints: NDArray[np.floating]
    marker: str = "o"
    colour: str | None = None


def side_of(name: str) -> str:
    """The subject's side of a keypoint: left, right or middle."""
    words = name.split("_")
    return "left" if "left" in words else "right" if "right" in words else "middle"


def plot_faces(
    images: NDArray[np.uint8],
    marks: Sequence[Marks],
    path: Path,
    *,
    columns: int = 8,
    titles: Sequence[str] = (),
) -> None:
    """Write a contact sheet of faces `(N, S, S)` with marks and a title each."""
    count, size = len(images), images.shape[1]
    rows = -(-count // columns)
    sheet = np.full((rows * size, columns * size), 255, np.uint8)
    offsets = np.array([(i % columns * size, i // columns * size) for i in range(count)])
    for image, (x, y) in zip(images, offsets, strict=True):
        sheet[y : y + size, x : x + size] = image
    figure, axes = plt.subplots(figsize=(columns * 1.7, rows * 1.7 + 0.5), layout="constrained")
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    for mark in marks:
        _scatter(axes, mark, offsets)
    for title, (x, y) in zip(titles, offsets, strict=False):
        axes.text(x + 2, y + size - 3, title, color="white", fontsize=7,
                  bbox={"facecolor": "black", "pad": 1, "linewidth": 0})  # fmt: skip
    figure.legend(loc="outside lower center", ncols=6, fontsize=8)
    _write(figure, path)


def plot_mean_face(images: NDArray[np.uint8], keypoints: NDArray[np.floating], path: Path) -> None:
    """Write the mean of faces `(N, S, S)` with the mean and 2-sigma ellipse of each keypoint."""
    figure, axes = plt.subplots(figsize=(6, 6), layout="constrained")
    axes.imshow(images.mean(axis=0), cmap="gray")
    for k, name in enumerate(KEYPOINT_NAMES):
        points = keypoints[~np.isnan(keypoints[:, k]).any(axis=1), k]
        if len(points) < 2:
            continue
        colour = SIDE_COLOURS[side_of(name)]
        values, vectors = np.linalg.eigh(np.cov(points.T))
        width, height = 4 * np.sqrt(np.maximum(values, 0))  # two standard deviations on each side
        angle = np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0]))
        centre = points.mean(axis=0)
        axes.add_patch(Ellipse(centre, width, height, angle=angle, fill=False, color=colour))
        axes.plot(*centre, "o", color=colour, markersize=3)
    axes.set_title("Mean face; ellipses show two standard deviations")
    _write(figure, path)


def plot_missing(share: NDArray[np.floating], path: Path) -> None:
    """Write a bar chart of the share of faces without each keypoint, `(K,)` 0–1."""
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    colours = [SIDE_COLOURS[side_of(name)] for name in KEYPOINT_NAMES]
    bars = axes.barh(KEYPOINT_NAMES, 100 * share, color=colours)
    axes.bar_label(bars, fmt="%.1f %%", padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="faces without this keypoint, %", xlim=(0, max(5.0, 115 * float(share.max()))))
    _write(figure, path)


def plot_history(folder: Path) -> None:
    """Write `learning_curve.png` from a run's `history.csv`."""
    history = pd.read_csv(folder / HISTORY)
    best = history.iloc[int(history["val_rmse"].argmin())]
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    axes.plot(history["epoch"], history["rmse"], label="training (augmentation, dropout)")
    axes.plot(history["epoch"], history["val_rmse"], label="validation")
    label = f"best: {best['val_rmse']:.2f} px, epoch {best['epoch']:.0f}"
    axes.plot(best["epoch"], best["val_rmse"], "o", color="black", label=label)
    axes.set(xlabel="epoch", ylabel="RMSE, px of 96", yscale="log")
    axes.yaxis.set_major_formatter(mpl.ticker.ScalarFormatter())
    axes.yaxis.set_minor_formatter(mpl.ticker.ScalarFormatter())
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()
    _write(figure, folder / LEARNING_CURVE)


def plot_cumulative(errors: Mapping[str, NDArray[np.floating]], path: Path) -> None:
    """Write the cumulative distribution of the RMSE per face, px, one curve per set."""
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for label, values in errors.items():
        ordered = np.sort(values[~np.isnan(values)])
        share = 100 * np.arange(1, len(ordered) + 1) / len(ordered)
        axes.step(ordered, share, where="post", label=f"{label} (median {np.median(ordered):.2f})")
    axes.set(xlabel="RMSE of a face, px of 96", ylabel="faces, %", ylim=(0, 100))
    axes.set_xlim(0, 10)
    axes.grid(True, alpha=0.3)
    axes.legend(loc="lower right")
    _write(figure, path)


def _scatter(axes: Any, mark: Marks, offsets: NDArray[np.int_]) -> None:
    positions = mark.keypoints + offsets[:, None, :]
    sides = [side_of(name) for name in KEYPOINT_NAMES]
    for side, side_colour in SIDE_COLOURS.items():
        points = positions[:, [s == side for s in sides]].reshape(-1, 2)
        label = mark.label if mark.colour else f"{mark.label}, subject's {side}"
        if mark.colour and side != "left":
            label = "_"  # not in the legend
        axes.scatter(*points.T, s=9, marker=mark.marker, c=mark.colour or side_colour,
                     linewidths=0.8, label=label)  # fmt: skip


def _write(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=_DPI)
    plt.close(figure)
