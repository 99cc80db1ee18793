"""Faces as annotation tools read them: COCO keypoints, CVAT, Label Studio and LabelMe.

All take records (`edge.records`) of still images. Keypoints of COCO are indices of pixels, as ours;
the tools count from the corner of the top-left pixel, where its centre is at 0.5. Boxes are the
same in both: the x and y of ours are of their first pixel, whose corner is their edge.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from edge.keypoints import KEYPOINT_NAMES

Record = dict[str, Any]
Annotations = dict[str, str]  # text of each file by its name

FACE = "face"  # the label of boxes and skeletons
LABEL_STUDIO_PATH = "/data/local-files/?d="  # how it serves files of its document root
# Lines between keypoints, in the order in which tools draw them.
SKELETON = (
    ("left_eye_inner_corner", "left_eye_center"),
    ("left_eye_center", "left_eye_outer_corner"),
    ("right_eye_inner_corner", "right_eye_center"),
    ("right_eye_center", "right_eye_outer_corner"),
    ("left_eyebrow_inner_end", "left_eyebrow_outer_end"),
    ("right_eyebrow_inner_end", "right_eyebrow_outer_end"),
    ("left_eye_inner_corner", "nose_tip"),
    ("right_eye_inner_corner", "nose_tip"),
    ("mouth_left_corner", "mouth_center_top_lip"),
    ("mouth_center_top_lip", "mouth_right_corner"),
    ("mouth_right_corner", "mouth_center_bottom_lip"),
    ("mouth_center_bottom_lip", "mouth_left_corner"),
)
_VISIBLE, _OUTSIDE = 2, 1  # of COCO: labelled and visible, or labelled and not visible
_DIGITS = 2  # of px


def to_coco(records: Sequence[Record]) -> str:
    """COCO's keypoint format: one JSON text of all images, with scores as in its results.

    A keypoint outside the image is labelled as not visible (1), others as visible (2).
    """
    images: list[Record] = []
    annotations: list[Record] = []
    for number, record in enumerate(records, start=1):
        size = {"width": record["width"], "height": record["height"]}
        images.append({"id": number, "file_name": record["image"], **size})
        for face in record["faces"]:
            flat = [v for _, x, y, inside in _points(record, face)
                    for v in (x, y, _VISIBLE if inside else _OUTSIDE)]  # fmt: skip
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "bbox": face["box"],
                    "area": round(face["box"][2] * face["box"][3], _DIGITS),
                    "iscrowd": 0,
                    "segmentation": [],
                    "num_keypoints": len(KEYPOINT_NAMES),
                    "keypoints": flat,
                    "score": face["score"],
                }
            )
    order = {name: i for i, name in enumerate(KEYPOINT_NAMES, start=1)}
    category = {
        "id": 1,
        "name": FACE,
        "supercategory": "person",
        "keypoints": list(KEYPOINT_NAMES),
        "skeleton": [[order[first], order[second]] for first, second in SKELETON],
    }
    table = {"images": images, "annotations": annotations, "categories": [category]}
    return json.dumps(table, ensure_ascii=False)


def to_cvat(records: Sequence[Record]) -> str:
    """CVAT's XML for images 1.1: a skeleton and a box of each face, in one group."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    for number, record in enumerate(records):
        size = {"width": str(record["width"]), "height": str(record["height"])}
        image = ElementTree.SubElement(
            root, "image", {"id": str(number), "name": record["image"], **size}
        )
        for group, face in enumerate(record["faces"], start=1):
            common = {"label": FACE, "source": "auto", "occluded": "0", "z_order": "0",
                      "group_id": str(group)}  # fmt: skip
            x, y, width, height = face["box"]
            corners = {"xtl": x, "ytl": y, "xbr": x + width, "ybr": y + height}
            texts = {key: f"{value:.2f}" for key, value in corners.items()}
            ElementTree.SubElement(image, "box", common | texts)
            skeleton = ElementTree.SubElement(image, "skeleton", common)
            for name, x, y, inside in _points(record, face):
                hidden = {"outside": "0", "occluded": str(int(not inside))}
                at = {"label": name, "points": f"{x + 0.5:.2f},{y + 0.5:.2f}", "source": "auto"}
                ElementTree.SubElement(skeleton, "points", at | hidden)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def to_label_studio(records: Sequence[Record]) -> str:
    """Label Studio's tasks with predictions, as JSON, for the labels `label_studio_config` has."""
    tasks = []
    for record in records:
        results = [
            result
            for number, face in enumerate(record["faces"])
            for result in _label_studio_results(record, face, f"{FACE}-{number}")
        ]
        scores = [face["score"] for face in record["faces"]]
        tasks.append(
            {
                "data": {"image": LABEL_STUDIO_PATH + record["image"]},
                "predictions": [
                    {
                        "model_version": "edge-keypoints",
                        "score": min(scores, default=0.0),
                        "result": results,
                    }
                ],
            }
        )
    return json.dumps(tasks, ensure_ascii=False)


def label_studio_config() -> str:
    """The labelling interface for these tasks, to be pasted into a project of Label Studio."""
    labels = "\n".join(f'    <Label value="{name}"/>' for name in KEYPOINT_NAMES)
    return f"""<View>
  <Image name="image" value="$image" zoom="true"/>
  <RectangleLabels name="faces" toName="image">
    <Label value="{FACE}"/>
  </RectangleLabels>
  <KeyPointLabels name="keypoints" toName="image" strokeWidth="3">
{labels}
  </KeyPointLabels>
</View>
"""


def to_labelme(record: Record, image: str) -> str:
    """LabelMe's JSON of one image, whose path from that file is `image`."""
    shapes = []
    for number, face in enumerate(record["faces"]):
        x, y, width, height = face["box"]
        corners = [[x, y], [round(x + width, _DIGITS), round(y + height, _DIGITS)]]
        shapes.append(_shape(FACE, corners, "rectangle", number))
        for name, x, y, _ in _points(record, face):
            at = [round(x + 0.5, _DIGITS), round(y + 0.5, _DIGITS)]
            shapes.append(_shape(name, [at], "point", number))
    table = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": image,
        "imageData": None,
        "imageHeight": record["height"],
        "imageWidth": record["width"],
    }
    return json.dumps(table, ensure_ascii=False)


# What takes all records, by the name of its option.
WRITERS: dict[str, Callable[[Sequence[Record]], str]] = {
    "coco": to_coco,
    "cvat": to_cvat,
    "label_studio": to_label_studio,
}


def relative_name(image: str, folder: Path) -> str:
    """The path of an image from a folder, with slashes, as all these formats hold it."""
    try:
        return Path(image).resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        import os

        return Path(os.path.relpath(image, folder)).as_posix()


def _points(record: Record, face: Record) -> Iterator[tuple[str, float, float, bool]]:
    """The keypoints of a face: name, x, y and whether it lies within the image."""
    for name in KEYPOINT_NAMES:
        x, y = face["keypoints"][name]["x"], face["keypoints"][name]["y"]
        inside = -0.5 <= x <= record["width"] - 0.5 and -0.5 <= y <= record["height"] - 0.5
        yield name, x, y, inside


def _label_studio_results(record: Record, face: Record, identity: str) -> Iterator[Record]:
    width, height = record["width"], record["height"]
    common = {"to_name": "image", "original_width": width, "original_height": height,
              "image_rotation": 0}  # fmt: skip
    box = [100 * v / side for v, side in zip(face["box"], (width, height) * 2, strict=True)]
    place = dict(zip(("x", "y", "width", "height"), box, strict=True))
    value: Record = {**place, "rotation": 0, "rectanglelabels": [FACE]}
    yield {**common, "id": identity, "from_name": "faces", "type": "rectanglelabels",
           "value": value, "score": face["score"]}  # fmt: skip
    for name, x, y, _ in _points(record, face):
        at = {"x": 100 * (x + 0.5) / width, "y": 100 * (y + 0.5) / height, "width": 0.3}
        yield {**common, "id": f"{identity}-{name}", "parentID": identity,
               "from_name": "keypoints", "type": "keypointlabels",
               "value": {**at, "keypointlabels": [name]}}  # fmt: skip


def _shape(label: str, points: list[list[float]], kind: str, group: int) -> Record:
    return {"label": label, "points": points, "group_id": group, "shape_type": kind, "flags": {}}
