import json
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("cv2")

from train.errors import RunError
from train.recipes import RECIPES
from train.run_record import (
    RunPaths,
    continue_record,
    describe,
    open_run,
    read_held_out,
    read_record,
    write_record,
)


def test_a_resumed_record_keeps_its_first_start_and_accepts_renamed_data(tmp_path):
    first = {"recipe": {"seed": 1}, "data_sha256": {"a.csv": "1", "negatives": ""}, "commit": "x",
             "versions": {}, "rows": {"training": 5}}  # fmt: skip
    later = {**first, "data_sha256": {"b.csv": "1", "negatives": ""}, "commit": "y"}
    continued = continue_record(first, later, tmp_path)
    assert (continued["commit"], continued["rows"]) == ("x", {"training": 5})
    assert continued["resumed"] == [{"commit": "y", "versions": {}}]
    with pytest.raises(RunError, match="the negatives or the initial model"):
        continue_record(first, {**later, "data_sha256": {"a.csv": "1", "negatives": "2"}}, tmp_path)


def test_a_record_is_read_back_as_it_was_written(tmp_path):
    write_record({"name": "é", "rows": [1, 2]}, tmp_path)
    assert read_record(tmp_path) == {"name": "é", "rows": [1, 2]}
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("text", "message"), [("[1]", "expected a JSON object"), ("{", "run.json: cannot be read")]
)
def test_a_malformed_record_is_an_error(text, message, tmp_path):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RunError, match=message):
        read_record(tmp_path)


def test_the_keys_of_a_record_are_the_names_of_the_recipe():
    record = describe(RECIPES["research"], {"a.npz": "1"}, "tensorflow")
    assert list(record) == ["recipe", "data_sha256", "commit", "versions"]
    recipe = record["recipe"]
    assert (recipe["epochs"], recipe["cooldown"], recipe["calibrate_on"]) == (90, 40, ("lfpw",))
    assert recipe["augmentation"]["turn_far"] == 0.2
    assert recipe["sources"][0]["complete_rows"] == (1, 1569)


def test_a_run_folder_is_opened_once_and_then_resumed_only_on_request(tmp_path):
    paths = RunPaths(data=tmp_path / "a.npz", output=tmp_path / "run")
    record = {"recipe": {"seed": 1}, "data_sha256": {"a": "1"}, "commit": "x", "versions": {}}
    assert open_run(paths, record) == record
    with pytest.raises(RunError, match="contains a run"):
        open_run(paths, record)
    resumed = open_run(RunPaths(paths.data, paths.output, resume=True), record)
    assert resumed["resumed"] == [{"commit": "x", "versions": {}}]
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is not a folder"):
        open_run(RunPaths(paths.data, tmp_path / "file"), record)


def test_validation_faces_are_identified_by_source_and_number(tmp_path):
    (tmp_path / "sets.json").write_text(json.dumps({"validation": [["a", 1], ["b", 2]]}))
    faces = SimpleNamespace(sources=np.array(["a", "a", "b"]), ids=np.array([1, 2, 2]))
    assert read_held_out(tmp_path, faces).tolist() == [True, False, True]
    (tmp_path / "sets.json").unlink()
    with pytest.raises(RunError, match=r"sets\.json: cannot be read"):
        read_held_out(tmp_path, faces)
