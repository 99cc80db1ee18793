"""The networks and images that every engine is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from benchmarks.datasets.kaggle import read_images as read_crops
from benchmarks.datasets.photos import read_photos
from benchmarks.engines.graphs import (
    always_computed,
    fix_shape,
    save,
    split_detector,
    take_floats,
)
from benchmarks.harness.project import ROOT
from edge.networks.face_detector import EMBEDDED as FACE
from edge.networks.face_detector import FaceDetector
from edge.networks.keypoint_model import EMBEDDED as KEYPOINTS
from edge.networks.precision import int8_file

IMAGES = 100  # of each kind
_DETECT_SIZE = 320  # px
_SIDE = 352  # px; holds all images that are searched at 320 px, which are up to a tenth larger
_KERAS = ROOT / "export" / "models"


@dataclass(frozen=True, slots=True)
class Network:
    """A network's file, and what engines need beside it.

    Attributes:
        name: as reports show it.
        file: the `.onnx` file.
        fixed: the same with the shape of one image.
        floats: `fixed` with pixels as float32; None where there is no such file.
        keras: the Keras model it was exported from; None where it is not kept as such.
        input: name of the input.
        shape: of one image, `(1, H, W, 1)`.
        outputs: names of the outputs that are compared, in the order of the file.
        boxes: the file that makes boxes of them, if this one does not; for the detector only.
    """

    name: str
    file: str
    fixed: str
    floats: str | None
    keras: str | None
    input: str
    shape: tuple[int, int, int, int]
    outputs: tuple[str, ...]
    boxes: str | None = None


def prepare_networks(folder: Path) -> list[Network]:
    """Write the files of all networks into a folder."""
    found = []
    for file in (KEYPOINTS, int8_file(KEYPOINTS)):
        keras = _KERAS / "model.keras" if file == KEYPOINTS else None
        model = always_computed(onnx.load(file))
        found.append(_describe(file.name, model, folder, keras))
    for file in (FACE, int8_file(FACE)):
        model = onnx.load(file)
        found.append(_describe(file.name, model, folder, None))
        parts = split_detector(model)
        keras = _KERAS / "face" / "model.keras" if file == FACE else None
        boxes = save(parts.boxes, folder / f"{file.stem}.boxes.onnx")
        found.append(_describe(f"{file.name}, to the cells", parts.network, folder, keras, boxes))
    return found


def _describe(
    name: str, model: onnx.ModelProto, folder: Path, keras: Path | None, boxes: str | None = None
) -> Network:
    """Write a model in its forms."""
    stem = name.replace(", to the ", ".").removesuffix(".onnx")
    source = model.graph.input[0].name
    fixed = fix_shape(model)
    path = folder / f"{stem}.file.onnx"
    onnx.save(model, path)
    sides = fixed.graph.input[0].type.tensor_type.shape.dim
    height, width = (sides[i].dim_value for i in (1, 2))
    return Network(
        name=name,
        file=str(path),
        fixed=str(save(fixed, folder / f"{stem}.fixed.onnx")),
        floats=save(take_floats(fixed), folder / f"{stem}.floats.onnx"),
        keras=str(keras) if keras else None,
        input=source,
        shape=(1, height, width, 1),
        outputs=tuple(output.name for output in model.graph.output),
        boxes=boxes,
    )


def write_images(data: Path, folder: Path) -> dict[str, Path]:
    """Write the images as `.npy` files, uint8 `(100, H, W, 1)`, by the input they are for.

    Args:
        data: folder with `kaggle/test.zip` and `helen/`.
        folder: receives the files.

    Raises:
        EdgeError, OSError, KeyError, ValueError: the data cannot be read.
    """
    crops = np.stack([*read_crops(data / "kaggle" / "test.zip").values()][:IMAGES])
    photos = [photo.grey for photo in read_photos(data / "helen")[:IMAGES]]
    arrays = {"face": crops[..., None], "image": np.concatenate([_on_square(p) for p in photos])}
    for name, images in arrays.items():
        np.save(folder / f"{name}.npy", images)
    return {name: folder / f"{name}.npy" for name in arrays}


def _on_square(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A photo as the detector gets it, on a black square: uint8 `(1, 352, 352, 1)`."""
    canvas, _ = FaceDetector.letterbox(grey, _DETECT_SIZE)
    square = np.zeros((1, _SIDE, _SIDE, 1), np.uint8)
    square[:, : canvas.shape[1], : canvas.shape[2]] = canvas
    return square
