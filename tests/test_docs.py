"""What the documents show is what the software does."""

import json
import re
import shlex
import shutil

import pytest

from benchmarks.run import table
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
CARD = (ROOT / "MODEL_CARD.md").read_text("utf-8")
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "keypoints.json").read_text("utf-8"))


@pytest.fixture
def folder(sample, tmp_path):
    shutil.copy(sample, tmp_path / "photo.jpg")
    return tmp_path


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def test_the_readme_is_short():
    assert len(README.splitlines()) < 150


def test_the_results_are_those_measured():
    between = README.partition("<!-- results:")[2].partition("<!-- end of results")[0]
    shown = "\n".join(line for line in between.splitlines() if line.startswith("|"))
    assert shown == table(RESULTS)
    assert RESULTS["machine"]["processor"] in README


def test_the_measured_models_are_the_embedded_ones():
    from edge.model import EMBEDDED, KeypointModel

    for row in RESULTS["models"]:
        model = KeypointModel(EMBEDDED.with_name(row["model"]))
        assert row["sha256_keras"] == model.metadata["sha256_keras"]
        assert row["size_bytes"] == model.path.stat().st_size


def test_the_model_cards_errors_are_those_measured():
    accuracy = RESULTS["models"][0]["accuracy"]
    columns = [accuracy[name]["rmse_px_per_keypoint"] for name in ("asked > 8", "asked = 8")]
    for name in columns[0]:
        assert f"| {name} | {columns[0][name]:.2f} | {columns[1][name]:.2f} |" in CARD
    for name in ("asked > 8", "asked = 8"):
        assert f"{accuracy[name]['rmse_px']:.2f} px" in CARD


def test_the_command_prints_what_the_readme_shows(folder, run_python):
    pytest.importorskip("cv2")
    block = re.search(r"```console\n\$ python (.*)\n([^`]*)```", README)
    done = run_python(*shlex.split(block[1]), cwd=folder)
    assert done.returncode == 0, done.stderr
    printed = (done.stdout + done.stderr).decode()
    # The last digits of a network's output differ between processors.
    assert numbers(printed) == pytest.approx(numbers(block[2]), abs=1.1)
    assert re.sub(r"[\d.]+", "0", printed) == re.sub(r"[\d.]+", "0", block[2])


def test_the_json_is_what_the_readme_shows(folder, run_python):
    pytest.importorskip("cv2")
    shown = json.loads(re.search(r"```json\n(.*?)```", README, re.DOTALL)[1])
    command = "-m edge.run photo.jpg --precision fp32 --json - --no-picture"
    got = json.loads(run_python(*command.split(), cwd=folder).stdout)
    assert list(got) == list(shown)
    (face,), (expected,) = got["faces"], shown["faces"]
    assert list(face) == list(expected)
    assert face["box"] == pytest.approx(expected["box"], abs=1)
    assert face["measures"] == expected["measures"]
    for name, point in expected["keypoints"].items():
        assert face["keypoints"][name] == pytest.approx(point, abs=0.5)


def test_every_command_of_the_readme_has_its_module():
    for module in set(re.findall(r"python -m ([\w.]+)", README)):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), module


def test_every_local_link_leads_somewhere():
    for document in ("README.md", "CONTRIBUTING.md", "MODEL_CARD.md", "CHANGELOG.md"):
        text = (ROOT / document).read_text("utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if not target.startswith("http"):
                assert (ROOT / target).exists(), f"{document}: {target}"
