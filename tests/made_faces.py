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


def make_labelled_faces(count, rng):
    """Padded crops of noise, each of another person, with the mean face's keypoints."""
    from train.data.labelled_faces import MARGIN, PADDED, LabelledFaces

    return LabelledFaces(
        rng.integers(100, 140, (count, PADDED, PADDED)).astype(np.uint8),
        np.tile((np.asarray(MEAN_FACE) + MARGIN).astype(np.float32), (count, 1, 1)),
        rng.uniform(60, 130, (count, 68, 2)).astype(np.float32),
        np.zeros(count, np.float32),
        np.ones(count, bool),
        np.zeros(count, bool),
        np.array([f"person {i}" for i in range(count)]),
        np.full(count, "set"),
    )


def made_mesh(rng):
    """A mesh `(478, 3)` on half an ellipsoid about the origin, with lids and lips, px of a crop."""
    from train.data.face_mesh import LOWER_LIP, UPPER_LIP

    angle = rng.uniform(-1.2, 1.2, (478, 2))
    x, y = 36 * np.sin(angle[:, 0]), 45 * np.sin(angle[:, 1])
    mesh = np.stack([x, y, -30 * np.cos(angle[:, 0]) * np.cos(angle[:, 1])], axis=1)
    mesh[10], mesh[152] = (0, -45, 0), (0, 45, 0)  # forehead and chin
    mesh[78], mesh[308] = (-12, 28, -25), (12, 28, -25)  # corners of the mouth
    x = np.linspace(-9, 9, 9)
    depth = np.full(9, -28)
    mesh[list(UPPER_LIP)] = np.column_stack([x, np.full(9, 27), depth])
    mesh[list(LOWER_LIP)] = np.column_stack([x, np.full(9, 28), depth])
    mesh[159], mesh[145] = (-18, -12, -20), (-18, -6, -20)  # lids of the right eye
    return mesh


def write_labelled_photos(folder, count):
    """The sets of the recipe `keypoints`, with `count` labelled faces and five crowds."""
    import json

    from PIL import Image

    from edge.geometry.face_frame import MEAN_FACE

    rng = np.random.default_rng(5)
    permissive, crowds = folder / "permissive", folder / "facemask"
    for path in (permissive / "no_face", crowds):
        path.mkdir(parents=True)
    points = MEAN_FACE * 2 + 40
    mesh = made_mesh(rng) * 2 + (135, 135, 0)
    face = {
        "teacher": dict(zip(KEYPOINT_NAMES, points.tolist(), strict=True)),
        "teacher68": mesh[np.linspace(0, 467, 68).astype(int), :2].tolist(),
    }
    rows = []
    for i in range(count):
        pixels = rng.integers(80, 100, (270, 270)).astype(np.uint8)
        Image.fromarray(pixels).save(permissive / f"{i}.png")
        rows.append({"image": f"{i}.png", "set": "made", "source": f"here:{i}.png",
                     "faces": [{**face, "mesh": i}]})  # fmt: skip
    (permissive / "annotations.jsonl").write_text("\n".join(map(json.dumps, rows)))
    np.savez(permissive / "mesh.npz", mesh=np.round(np.stack([mesh] * count) * 8).astype(np.int16))
    Image.new("L", (200, 150), 60).save(permissive / "no_face" / "a.jpg")
    crowd = np.full((200, 200), 100, np.uint8)
    crowd[64:116, 54:96] = 255  # inside the first box
    boxes = [{"box": [50, 60, 50, 60]}, {"box": [150, 150, 10, 12]}]
    for i in range(5):
        Image.fromarray(crowd).save(crowds / f"{i}.png")
    rows = [{"image": f"{i}.png", "faces": boxes, "yunet": []} for i in range(5)]
    (crowds / "annotations.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder
