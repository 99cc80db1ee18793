import json
from xml.etree import ElementTree

import pytest

from edge.cli.annotation_files import AnnotationFiles
from edge.errors import SourceError
from edge.run.command import main
from tests.edge.run.command_line import CROP, FP32


def test_one_run_writes_all_formats(sample, tmp_path, capsys):
    out = tmp_path / "out"
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(sample.read_bytes())
    options = ["--coco", str(out / "coco.json"), "--cvat", str(out / "cvat.xml"),
               "--label-studio", str(tmp_path / "tasks.json"), "--labelme", str(out / "me"),
               "--json", str(tmp_path / "faces.jsonl")]  # fmt: skip
    assert main([str(photo), "--no-picture", *FP32, *options]) == 0
    (face,) = json.loads((tmp_path / "faces.jsonl").read_text())["faces"]
    coco = json.loads((out / "coco.json").read_text())
    assert coco["images"][0]["file_name"] == "../photo.jpg"
    assert coco["annotations"][0]["bbox"] == face["box"]
    nose = face["keypoints"]["nose_tip"]
    assert coco["annotations"][0]["keypoints"][30:33] == [nose["x"], nose["y"], 2]
    image = ElementTree.parse(out / "cvat.xml").getroot().find("image")
    assert image.get("name") == "../photo.jpg"
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert tasks[0]["data"]["image"].endswith("?d=photo.jpg")
    labelme = json.loads((out / "me" / "photo.json").read_text())
    assert labelme["imagePath"] == "../../photo.jpg"
    assert len(labelme["shapes"]) == 16


def test_photos_of_one_name_have_a_file_each(tmp_path):
    files = AnnotationFiles({}, tmp_path / "me")
    for folder in "ab":
        files.add(str(tmp_path / folder / "p.jpg"), (8, 8), [])
    files.write()
    names = {path.name: json.loads(path.read_text())["imagePath"]
             for path in (tmp_path / "me").iterdir()}  # fmt: skip
    assert names == {"p.json": "../a/p.jpg", "p-2.json": "../b/p.jpg"}


def test_an_input_is_not_overwritten(tmp_path, sample):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(sample.read_bytes())
    for path in (photo, tmp_path):
        with pytest.raises(SourceError, match="another input or output"):
            AnnotationFiles({"coco": path}).check([str(photo)])
    same = tmp_path / "a.json"
    with pytest.raises(SourceError, match="another input or output"):
        AnnotationFiles({"coco": same, "label_studio": same}).check([str(photo)])
    assert main([str(photo), *CROP, "--no-picture", "--coco", str(photo)]) == 1
    assert photo.read_bytes() == sample.read_bytes()


def test_a_file_that_cannot_be_written_is_one_line_and_exit_1(tmp_path, sample, capsys):
    (tmp_path / "file").touch()
    target = str(tmp_path / "file" / "coco.json")
    assert main([str(sample), *CROP, "--no-picture", "--coco", target]) == 1
    assert "cannot be written" in capsys.readouterr().err
