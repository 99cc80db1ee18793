import csv
import json

import numpy as np
from PIL import Image

from edge.run.command import main
from edge.run.crops import process_crops
from tests.edge.run.command_line import FP32, read_records


def test_crops_of_an_array_and_of_a_table_give_the_same_results(folder):
    crops = [
        np.asarray(Image.open(folder / "in" / name).convert("L").resize((96, 96)))
        for name in ("a.png", "b.png")
    ]
    np.save(folder / "crops.npy", np.stack(crops))
    rows = "\n".join(
        f"{i},{' '.join(map(str, c.reshape(-1)))}" for i, c in zip((5, 8), crops, strict=True)
    )
    (folder / "test.csv").write_text(f"ImageId,Image\n{rows}\n")
    assert main(["crops.npy", "test.csv", *FP32, "--json", "f.jsonl", "--csv", "f.csv"]) == 0
    records = read_records(folder / "f.jsonl")
    assert [(r["image"], r["frame"]) for r in records] == [
        ("crops.npy", 0), ("crops.npy", 1), ("test.csv", 5), ("test.csv", 8)
    ]  # fmt: skip
    assert [r["faces"] for r in records[:2]] == [r["faces"] for r in records[2:]]
    with (folder / "f.csv").open() as file:
        assert [row["frame"] for row in csv.DictReader(file)] == ["0", "1", "5", "8"]


def test_faces_are_what_the_model_predicts_with_the_whole_crop_as_box(
    detect, reporter, json_file, tmp_path, sample, capsys
):
    crop = np.asarray(Image.open(sample).convert("L").crop((174, 64, 270, 160)))
    np.save(tmp_path / "crops.npy", crop[None])
    path = str(tmp_path / "crops.npy")
    process_crops(detect, reporter, path)
    (record,) = map(json.loads, json_file.getvalue().splitlines())
    (face,) = record["faces"]
    points, error, score = detect.crops(crop[None])
    assert (record["width"], record["height"], face["box"]) == (96, 96, [0, 0, 96, 96])
    assert face["score"] == round(float(score[0]), 4)
    x, y = (round(float(value), 2) for value in points[0, 0])
    (error90,) = detect.crops(crop[None]).error90[:, 0].tolist()
    expected = {"x": x, "y": y, "error": round(float(error[0, 0]), 2), "error90": round(error90, 2)}
    assert face["keypoints"]["left_eye_center"] == expected
    assert capsys.readouterr().err == f"{path}: 1 crops\n"
