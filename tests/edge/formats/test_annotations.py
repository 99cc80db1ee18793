import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edge.formats.annotations import (
    SKELETON,
    label_studio_config,
    relative_name,
    to_coco,
    to_cvat,
    to_label_studio,
    to_labelme,
)
from edge.keypoints import KEYPOINT_NAMES

POINTS = {
    name: {"x": 10.0 + i, "y": 20.0 + i, "error": 1.0} for i, name in enumerate(KEYPOINT_NAMES)
}
FACE = {"id": 0, "box": [5.0, 6.0, 30.0, 40.0], "score": 0.9, "keypoints": POINTS}
RECORD = {"image": "a/b.jpg", "width": 100, "height": 50, "faces": [FACE]}
EMPTY = {"image": "none.jpg", "width": 8, "height": 8, "faces": []}


def test_coco_has_indices_of_pixels_and_a_skeleton_counted_from_one():
    table = json.loads(to_coco([EMPTY, RECORD]))
    assert table["images"] == [
        {"id": 1, "file_name": "none.jpg", "width": 8, "height": 8},
        {"id": 2, "file_name": "a/b.jpg", "width": 100, "height": 50},
    ]
    (annotation,) = table["annotations"]
    assert annotation["image_id"] == 2
    assert annotation["bbox"] == [5, 6, 30, 40]
    assert annotation["area"] == 1200
    assert annotation["keypoints"][:6] == [10, 20, 2, 11, 21, 2]
    (category,) = table["categories"]
    assert category["keypoints"] == list(KEYPOINT_NAMES)
    assert category["skeleton"][0] == [3, 1]
    assert len(category["skeleton"]) == len(SKELETON)


def test_a_point_outside_the_image_is_labelled_and_not_visible():
    points = {**POINTS, "nose_tip": {"x": 99.6, "y": 20.0, "error": 1.0}}
    record = {**RECORD, "faces": [{**FACE, "keypoints": points}]}
    (annotation,) = json.loads(to_coco([record]))["annotations"]
    assert annotation["keypoints"][30:33] == [99.6, 20, 1]
    nose = ElementTree.fromstring(to_cvat([record])).find(".//points[@label='nose_tip']")
    assert nose.get("occluded") == "1"


def test_cvat_counts_from_the_corner_of_the_first_pixel():
    image = ElementTree.fromstring(to_cvat([RECORD])).find("image")
    assert (image.get("name"), image.get("width")) == ("a/b.jpg", "100")
    points = image.findall("skeleton/points")
    assert [point.get("label") for point in points] == list(KEYPOINT_NAMES)
    assert points[0].get("points") == "10.50,20.50"
    box = image.find("box")
    corners = [box.get(side) for side in ("xtl", "ytl", "xbr", "ybr")]
    assert corners == ["5.00", "6.00", "35.00", "46.00"]
    assert box.get("group_id") == image.find("skeleton").get("group_id") == "1"


def test_label_studio_has_percents_of_the_image_and_the_labels_of_its_interface():
    (task,) = json.loads(to_label_studio([RECORD]))
    assert task["data"]["image"] == "/data/local-files/?d=a/b.jpg"
    box, first, *others = task["predictions"][0]["result"]
    value = box["value"]
    assert [value[key] for key in ("x", "y", "width", "height")] == [5, 12, 30, 80]
    assert (first["value"]["x"], first["value"]["y"]) == pytest.approx((10.5, 41))
    assert first["parentID"] == box["id"]
    config = ElementTree.fromstring(label_studio_config())
    labels = [label.get("value") for label in config.findall("KeyPointLabels/Label")]
    assert [r["value"]["keypointlabels"] for r in (first, *others)] == [[name] for name in labels]
    names = {element.get("name") for element in config}
    assert {box["from_name"], first["from_name"], box["to_name"]} <= names


def test_labelme_groups_the_points_of_a_face():
    table = json.loads(to_labelme(RECORD, "../b.jpg"))
    assert (table["imagePath"], table["imageWidth"], table["imageHeight"]) == ("../b.jpg", 100, 50)
    box, first, *_ = table["shapes"]
    assert box["points"] == [[5, 6], [35, 46]]
    assert first["points"] == [[10.5, 20.5]]
    assert {shape["group_id"] for shape in table["shapes"]} == {0}


def test_names_are_relative_to_the_file(tmp_path):
    assert relative_name(str(tmp_path / "a" / "b.jpg"), tmp_path) == "a/b.jpg"
    assert relative_name(str(tmp_path / "b.jpg"), tmp_path / "out") == "../b.jpg"
    assert Path(relative_name("b.jpg", Path())) == Path("b.jpg")
