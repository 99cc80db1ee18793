import json
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pandas")

from edge.formats.annotations import to_coco, to_cvat, to_label_studio, to_labelme
from edge.keypoints import KEYPOINT_NAMES
from tests.annotated_photos import faces_in_photos, spotted_photo
from train.data.annotation_files import read_annotation_file
from train.data.annotation_schemes import from_68
from train.data.sources import Source, read_annotations, read_source
from train.errors import DataError

FORMATS = ("coco", "cvat", "label_studio", "labelme")
NOSE = KEYPOINT_NAMES.index("nose_tip")


def as_record(number, points):
    named = {name: {"x": float(x), "y": float(y)}
             for name, (x, y) in zip(KEYPOINT_NAMES, np.round(points, 2), strict=True)}  # fmt: skip
    face = {"id": 0, "box": [1.0, 2.0, 230.0, 210.0], "score": 0.9, "keypoints": named}
    return {"image": f"{number}.png", "width": 240, "height": 220, "faces": [face]}


def accept(tasks):
    """The export of Label Studio after each prediction was taken over as it is."""
    return [{"data": task["data"], "annotations": task["predictions"]} for task in tasks]


def write(folder, form, records):
    """Write records as a format; returns what `train.prepare` is given."""
    if form == "labelme":
        for i, record in enumerate(records):
            (folder / f"{i}.json").write_text(to_labelme(record, record["image"]))
        return folder
    if form == "cvat":
        (folder / "a.xml").write_text(to_cvat(records))
        return folder / "a.xml"
    text = to_coco(records)
    if form == "label_studio":
        text = json.dumps(accept(json.loads(to_label_studio(records))))
    (folder / "a.json").write_text(text)
    return folder / "a.json"


@pytest.fixture
def photos(tmp_path):
    for i, points in enumerate(faces_in_photos()):
        Image.fromarray(spotted_photo(points)).save(tmp_path / f"{i}.png")
    return tmp_path


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_read_back(photos, form):
    truth = faces_in_photos()
    path = write(photos, form, [as_record(i, points) for i, points in enumerate(truth)])
    rows = read_annotations(path)
    assert [row.photo for row in rows] == [photos / f"{i}.png" for i in range(5)]
    for row, points in zip(rows, truth, strict=True):
        np.testing.assert_allclose(row.keypoints, points, atol=0.006)
    faces, skipped = read_source(Source("mine", str(path)), photos, None)
    assert (len(faces), skipped) == (5, [])
    spots = [image[round(y), round(x)] for image, keypoints in
             zip(faces.images, faces.keypoints, strict=True) for x, y in keypoints]  # fmt: skip
    assert np.mean(spots) < 120  # on the dark spots of a photo of 220


@pytest.mark.parametrize("form", FORMATS)
def test_faces_of_one_photo_are_kept_apart(photos, form):
    first, second = as_record(0, faces_in_photos()[0]), as_record(0, faces_in_photos()[1])
    record = {**first, "faces": [*first["faces"], {**second["faces"][0], "id": 1}]}
    rows = read_annotations(write(photos, form, [record]))
    for row, points in zip(rows, faces_in_photos()[:2], strict=True):
        np.testing.assert_allclose(row.keypoints, points, atol=0.006)
    assert {row.person for row in rows} == {"0.png"}


def test_points_that_were_taken_away_are_missing(photos):
    record = as_record(0, faces_in_photos()[0])
    table = json.loads(to_coco([record]))
    table["annotations"][0]["keypoints"][3 * NOSE : 3 * NOSE + 3] = [0, 0, 0]
    (photos / "coco.json").write_text(json.dumps(table))
    root = ElementTree.fromstring(to_cvat([record]))
    root.find(".//points[@label='nose_tip']").set("outside", "1")
    (photos / "a.xml").write_text(ElementTree.tostring(root, encoding="unicode"))
    tasks = accept(json.loads(to_label_studio([record])))
    results = tasks[0]["annotations"][0]["result"]
    tasks[0]["annotations"][0]["result"] = [r for r in results if not r["id"].endswith("nose_tip")]
    (photos / "tasks.json").write_text(json.dumps(tasks))
    for name in ("coco.json", "a.xml", "tasks.json"):
        (row,) = read_annotation_file(photos / name)
        assert np.flatnonzero(np.isnan(row.keypoints[:, 0])).tolist() == [NOSE], name


def test_predictions_of_label_studio_that_nobody_confirmed_are_no_labels(photos):
    tasks = json.loads(to_label_studio([as_record(0, faces_in_photos()[0])]))
    cancelled = [{**tasks[0]["predictions"][0], "was_cancelled": True}]
    (photos / "a.json").write_text(json.dumps([{**tasks[0], "annotations": cancelled}, *tasks]))
    with pytest.raises(DataError, match="contains no annotated face"):
        read_annotation_file(photos / "a.json")


def test_points_of_label_studio_without_a_parent_belong_to_the_box_around_them(photos):
    tasks = accept(json.loads(to_label_studio([as_record(0, faces_in_photos()[0])])))
    for result in tasks[0]["annotations"][0]["result"]:
        result.pop("parentID", None)
    tasks[0]["data"]["image"] = "/data/upload/3/0a1b2c3d-0.png"
    (photos / "a.json").write_text(json.dumps(tasks))
    (row,) = read_annotation_file(photos / "a.json")
    np.testing.assert_allclose(row.keypoints, faces_in_photos()[0], atol=0.006)
    assert row.photo == photos / "0.png"


def test_points_of_cvat_without_a_skeleton_are_grouped(photos):
    (photos / "a.xml").write_text(
        '<annotations><image name="0.png"><points label="nose_tip" group_id="1" points="3.5,4.5"/>'
        '<points label="nose_tip" group_id="2" points="5.5,6.5"/></image></annotations>'
    )
    rows = read_annotation_file(photos / "a.xml")
    assert [row.keypoints[NOSE].tolist() for row in rows] == [[3, 4], [5, 6]]


def test_coco_of_68_points_is_converted(photos, rng):
    points = rng.uniform(60, 160, (68, 2))
    table = json.loads(to_coco([as_record(0, faces_in_photos()[0])]))
    flat = np.concatenate([points, np.full((68, 1), 2)], axis=1)
    table["annotations"][0]["keypoints"] = flat.reshape(-1).tolist()
    table["categories"][0]["keypoints"] = [str(i) for i in range(68)]
    (photos / "a.json").write_text(json.dumps(table))
    (row,) = read_annotation_file(photos / "a.json")
    np.testing.assert_allclose(row.keypoints, from_68(points[None])[0], atol=1e-3)


def test_other_json_files_in_a_folder_of_labelme_are_left_alone(photos):
    record = as_record(0, faces_in_photos()[0])
    write(photos, "labelme", [record])
    write(photos, "coco", [record])  # a.json
    (photos / "convention.json").write_text("{}")
    assert len(read_annotations(photos)) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"), ("a.json", "{}"), ("a.json", "5"), ("a.xml", "<html/>"), ("a.xml", "<a"),
        ("a.json", '{"shapes": [{"shape_type": "point", "label": "nos", "points": [[1, 2]]}],'
                   '"imagePath": "a.png"}'),
        ("a.json", '[{"data": {}, "annotations": [{"result": [{"type": "keypointlabels"}]}]}]'),
    ],
)  # fmt: skip
def test_malformed_files_are_data_errors(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=f"{name}: not annotations of COCO, CVAT, Label Studio"):
        read_annotation_file(tmp_path / name)
