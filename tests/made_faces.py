"""Synthetic faces in the format of Kaggle's files, for tests that train."""

import csv

import numpy as np

from edge.keypoints import KEYPOINT_NAMES

COLUMNS = [f"{name}_{axis}" for name in KEYPOINT_NAMES for axis in "xy"]

# The mean of Kaggle's faces, px, rounded.
MEAN_FACE = np.array(
    [[66, 37], [30, 37], [59, 38], [73, 38], [37, 38], [22, 38], [56, 29], [80, 30], [39, 29],
     [16, 30], [48, 57], [63, 76], [33, 76], [48, 73], [48, 83]], np.float32)  # fmt: skip


def make_faces(count, seed=1):
    """Grey images with a dark spot at each keypoint: uint8 (N, 96, 96), float32 (N, 15, 2)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :96]
    keypoints = MEAN_FACE + rng.normal(0, 3, size=(count, 1, 2)) + rng.normal(0, 1, (count, 15, 2))
    images = np.empty((count, 96, 96), np.uint8)
    for image, points in zip(images, keypoints, strict=True):
        distance = np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1])
        background = 180 + rng.normal(0, 6, size=(96, 96)) + rng.normal(0, 40)
        image[:] = np.clip(background - (120 * np.exp(-((distance / 2) ** 2))).sum(axis=-1), 0, 255)
    return images, keypoints.astype(np.float32)


def write_csv(path, images, keypoints, columns=(*COLUMNS, "Image")):
    """Write a CSV file in Kaggle's format; NaN becomes an empty cell."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        for image, points in zip(images, keypoints, strict=True):
            values = ["" if np.isnan(v) else f"{v:.6f}" for v in points.reshape(-1)]
            row = dict(zip(COLUMNS, values, strict=True))
            writer.writerow({**row, "Image": " ".join(map(str, image.reshape(-1)))})
    return path


def write_annotated(folder, images, keypoints, asked):
    """Write annotations, rows in reverse, and the test images; returns both paths."""
    annotated, test_images = folder / "annotated.csv", folder / "test.csv"
    lines = [f"{i},{' '.join(map(str, image.reshape(-1)))}" for i, image in enumerate(images)]
    test_images.write_text("\n".join(["ImageId,Image", *lines]))
    rows = [
        f"{i},{asked[i]}," + ",".join(map(str, points.reshape(-1)))
        for i, points in enumerate(keypoints)
    ]
    annotated.write_text("\n".join(["ImageId,asked," + ",".join(COLUMNS), *reversed(rows)]))
    return annotated, test_images


def made_training_faces(count, source="made"):
    """`make_faces` as `train.data.faces.Faces`."""
    from train.data.faces import Faces

    images, keypoints = make_faces(count)
    groups = np.array([f"{source} {i}" for i in range(count)])
    return Faces(images, keypoints, np.arange(1, count + 1), np.full(count, source), groups)
