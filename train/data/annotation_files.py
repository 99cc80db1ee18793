"""What people corrected in annotation tools: COCO keypoints, CVAT, Label Studio and LabelMe.

The counterpart of `edge.formats.annotations`, which says how each counts pixels. Paths of photos
are relative to the file. A point that a tool marks as absent is missing; a hidden one is kept.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from edge.formats.annotations import FACE
from edge.keypoints import KEYPOINT_NAMES
from train.data.annotated_photos import AnnotatedPhoto, Point, annotated, points_by_name
from train.data.annotation_schemes import from_count
from train.errors import DataError

_UPLOAD_PREFIX = 8 + 1  # of a file that was uploaded to Label Studio: eight digits and a dash


def is_annotation_file(path: Path) -> bool:
    """Whether `read_annotation_file` reads files of this name."""
    return path.suffix.lower() in (".json", ".xml")


def read_annotation_file(path: Path) -> list[AnnotatedPhoto]:
    """Read a file of COCO, Label Studio or LabelMe (`.json`), or of CVAT (`.xml`).

    Raises:
        DataError: it is malformed or of another format, or has no face.
    """
    try:
        if path.suffix.lower() == ".xml":
            rows = list(_read_cvat(path))
        else:
            table = json.loads(path.read_text(encoding="utf-8-sig"))
            rows = list(_reader(table)(table, path.parent))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError,
            ElementTree.ParseError) as error:  # fmt: skip
        raise DataError(
            f"{path}: not annotations of COCO, CVAT, Label Studio or LabelMe ({error!r})"
        ) from error
    if not rows:
        raise DataError(f"{path}: contains no annotated face")
    return rows


def read_labelme_folder(folder: Path) -> list[AnnotatedPhoto]:
    """Read all `.json` files of LabelMe in a folder, and no others; a list, maybe empty.

    Raises:
        DataError: one is malformed.
    """
    rows = []
    for path in sorted(folder.glob("*.json")):
        rows += [] if _is_other_json(path) else read_annotation_file(path)
    return rows


def _is_other_json(path: Path) -> bool:
    try:
        return "shapes" not in json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, TypeError):
        return False  # reading it says what it is


def _reader(table: Any) -> Callable[[Any, Path], Iterator[AnnotatedPhoto]]:
    if isinstance(table, list):
        return _read_label_studio
    return _read_labelme if "shapes" in table else _read_coco


def _read_coco(table: dict[str, Any], folder: Path) -> Iterator[AnnotatedPhoto]:
    images = {image["id"]: image["file_name"] for image in table["images"]}
    names = {c["id"]: c.get("keypoints") or [] for c in table["categories"]}
    for annotation in table["annotations"]:
        if not annotation.get("keypoints"):
            continue
        values = np.array(annotation["keypoints"], np.float64).reshape(-1, 3)  # x, y, visibility
        points = np.where(values[:, 2:] > 0, values[:, :2], np.nan)
        keypoints = _by_names(points, names[annotation["category_id"]])
        if not np.isnan(keypoints).all():
            name = images[annotation["image_id"]]
            yield annotated(folder / name, keypoints, name)


def _by_names(points: NDArray[np.float64], names: list[str]) -> NDArray[np.float32]:
    """The keypoints of a category: those with our names, or a scheme of that many points."""
    if not set(names) & set(KEYPOINT_NAMES):
        return np.asarray(from_count(points))
    of_name = dict(zip(names, points, strict=True))
    missing = (np.nan, np.nan)
    return np.array([of_name.get(name, missing) for name in KEYPOINT_NAMES], np.float32)


def _read_cvat(path: Path) -> Iterator[AnnotatedPhoto]:
    root = ElementTree.parse(path).getroot()
    if root.tag != "annotations":
        raise ValueError(f"the root is {root.tag!r}")
    for image in root.iter("image"):
        loose = defaultdict(list)  # points without a skeleton, by their group
        for element in image.findall("points"):
            loose[element.get("group_id")].append(element)
        groups = [skeleton.findall("points") for skeleton in image.findall("skeleton")]
        for elements in (*groups, *loose.values()):
            points = {e.attrib["label"]: _cvat_point(e) for e in elements
                      if e.get("outside") != "1"}  # fmt: skip
            if points:
                name = image.attrib["name"]
                yield annotated(path.parent / name, points_by_name(points), name)


def _cvat_point(element: ElementTree.Element) -> Point:
    x, y = map(float, element.attrib["points"].split(","))
    return x - 0.5, y - 0.5


def _read_labelme(table: dict[str, Any], folder: Path) -> Iterator[AnnotatedPhoto]:
    groups: dict[Any, dict[str, Point]] = defaultdict(dict)
    for shape in table["shapes"]:
        if shape["shape_type"] == "point":
            ((x, y),) = shape["points"]
            groups[shape.get("group_id")][shape["label"]] = (x - 0.5, y - 0.5)
    name = table["imagePath"].replace("\\", "/")
    for points in groups.values():
        yield annotated(folder / name, points_by_name(points), name)


def _read_label_studio(tasks: list[dict[str, Any]], folder: Path) -> Iterator[AnnotatedPhoto]:
    for task in tasks:
        # Predictions that nobody looked at are no labels.
        done = [a for a in task.get("annotations") or () if not a.get("was_cancelled")]
        if not done:
            continue
        results = done[-1]["result"]
        boxes = {r["id"]: r["value"] for r in results if r["type"] == "rectanglelabels"}
        faces: dict[str, dict[str, Point]] = defaultdict(dict)
        for result in results:
            if result["type"] == "keypointlabels":
                (label,) = result["value"]["keypointlabels"]
                faces[_parent(result, boxes)][label] = _label_studio_point(result)
        photo = _label_studio_photo(task["data"]["image"], folder)
        for points in faces.values():
            yield annotated(photo, points_by_name(points), photo.name)


def _label_studio_point(result: dict[str, Any]) -> Point:
    value = result["value"]
    x = value["x"] / 100 * result["original_width"] - 0.5
    return x, value["y"] / 100 * result["original_height"] - 0.5


def _parent(result: dict[str, Any], boxes: dict[str, dict[str, float]]) -> str:
    """The box that a point belongs to: that it was drawn for, or else the smallest around it."""
    parent = result.get("parentID")
    if parent in boxes:
        return str(parent)
    x, y = result["value"]["x"], result["value"]["y"]
    around = [
        (box["width"] * box["height"], identity)
        for identity, box in boxes.items()
        if 0 <= x - box["x"] <= box["width"] and 0 <= y - box["y"] <= box["height"]
    ]
    return min(around)[1] if around else FACE


def _label_studio_photo(address: str, folder: Path) -> Path:
    """Where the photo of a task is: below the folder, as it was imported or uploaded."""
    parts = urlsplit(address)
    name = parse_qs(parts.query).get("d", [unquote(parts.path)])[0].lstrip("/")
    last = Path(name).name
    candidates = [folder / name, folder / last, folder / last[_UPLOAD_PREFIX:]]
    return next((path for path in candidates if path.is_file()), candidates[0])
