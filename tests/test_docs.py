"""What the documents show is what the software does."""

import hashlib
import json
import re
import shlex
import shutil

import pytest

from benchmarks.reporting import tables
from benchmarks.reporting.documents import TABLES
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
CARD = (ROOT / "MODEL_CARD.md").read_text("utf-8")
MEASURED = ROOT / "benchmarks" / "results"
RESULTS, ACCURACY = (
    json.loads((MEASURED / name).read_text("utf-8")) for name in ("latency.json", "accuracy.json")
)


@pytest.fixture
def folder(sample, tmp_path):
    shutil.copy(sample, tmp_path / "photo.jpg")
    return tmp_path


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def test_the_readme_is_short():
    assert len(README.splitlines()) < 150


@pytest.mark.parametrize("table", TABLES, ids=lambda t: f"{t.document}: {t.name}")
def test_the_tables_of_the_documents_are_those_measured(table):
    assert table.shown() == table.render()


def test_the_readme_names_the_processor():
    assert RESULTS["machine"]["processor"] in README


def test_the_measured_models_are_the_embedded_ones():
    from edge.networks.keypoint_model import EMBEDDED

    rows = [*RESULTS["models"], *RESULTS["detectors"]]
    measured = {row.get("model") or row["file"]: row["sha256"] for row in rows}
    analysis = json.loads((MEASURED / "analysis.json").read_text("utf-8"))
    measured["eyes.onnx"] = analysis["sha256"]
    visibility = json.loads((MEASURED / "visibility.json").read_text("utf-8"))
    measured["visibility.onnx"] = visibility["sha256"]
    for path in EMBEDDED.parent.glob("*.onnx"):  # other measured models are there to compare
        assert measured[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_committed_results_keep_the_schema():
    pytest.importorskip("jsonschema")
    from benchmarks.reporting.schema import validate

    assert validate(RESULTS) == ""


def test_what_auto_chose_was_the_faster():
    from edge.networks.precision import MAX_TIME_RATIO

    for row in RESULTS["auto"]:
        for what, name, suffix in (
            ("keypoints", "keypoints.onnx", ""), ("detector", "face.onnx", ", 320×240"),
        ):  # fmt: skip
            small = name.replace(".onnx", ".int8.onnx")
            full_ms, small_ms = (
                tables.find_single_stream(RESULTS, f"{file}{suffix}", row["threads"])["p50_ms"]
                for file in (name, small)
            )
            if abs(small_ms / full_ms - MAX_TIME_RATIO) > 0.05:  # nearer ones may fall either way
                assert row[what] == (small if small_ms < MAX_TIME_RATIO * full_ms else name)


def test_the_card_names_the_embedded_detector_that_was_measured():
    from edge.networks.face_detector import EMBEDDED, FaceDetector

    results = json.loads((MEASURED / "detection.json").read_text("utf-8"))
    version = FaceDetector(EMBEDDED).metadata["model_version"]
    assert results["version"] == version
    assert f"version `{version}`" in CARD
    assert f"{results['parameters']:,}".replace(",", " ") in CARD


def test_the_kept_keras_detector_is_the_one_that_was_exported():
    from edge.networks.face_detector import EMBEDDED, FaceDetector

    kept = ROOT / "export" / "models" / "face" / "model.keras"
    digest = hashlib.sha256(kept.read_bytes()).hexdigest()
    assert digest == FaceDetector(EMBEDDED).metadata["sha256_keras"]


def test_the_research_network_is_the_one_whose_run_is_kept_and_says_its_terms():
    from benchmarks.submission import RESEARCH
    from edge.networks.keypoint_model import KeypointModel
    from edge.networks.precision import int8_file

    digest = hashlib.sha256((RESEARCH.parent / "model.keras").read_bytes()).hexdigest()
    measured = json.loads((MEASURED / "research.json").read_text("utf-8"))["models"]
    for path, row in zip((RESEARCH, int8_file(RESEARCH)), measured, strict=True):
        metadata = KeypointModel(path).metadata
        assert metadata["sha256_keras"] == digest == row["sha256_keras"]
        assert metadata["license"].startswith("research and evaluation only")
        assert f"version `{metadata['model_version']}`" in CARD


def test_the_card_names_the_embedded_model():
    from edge.networks.keypoint_model import EMBEDDED, KeypointModel

    row = ACCURACY["models"][0]
    model = KeypointModel(EMBEDDED)
    assert model.metadata["sha256_keras"] == row["sha256_keras"]
    assert f"Version `{model.metadata['model_version']}`" in CARD
    assert f"{row['parameters']:,}".replace(",", " ") in CARD


def test_the_kept_keras_model_is_the_one_that_was_exported():
    from edge.networks.keypoint_model import EMBEDDED, KeypointModel

    kept = ROOT / "export" / "models"
    digest = hashlib.sha256((kept / "model.keras").read_bytes()).hexdigest()
    assert digest == KeypointModel(EMBEDDED).metadata["sha256_keras"]
    record = json.loads((kept / "run.json").read_text("utf-8"))
    metadata = json.loads(KeypointModel(EMBEDDED).metadata["training_run"])
    assert metadata["recipe"] == record["recipe"]


def test_the_command_prints_what_the_readme_shows(folder, run_python):
    block = re.search(r"```console\n\$ python (.*)\n([^`]*)```", README)
    done = run_python(*shlex.split(block[1]), cwd=folder)
    assert done.returncode == 0, done.stderr
    printed = (done.stdout + done.stderr).decode()
    # The last digits of a network's output differ between processors.
    assert numbers(printed) == pytest.approx(numbers(block[2]), abs=1.1)
    assert re.sub(r"[\d.]+", "0", printed) == re.sub(r"[\d.]+", "0", block[2])


def test_the_json_is_what_the_readme_shows(folder, run_python):
    shown = json.loads(re.search(r"```json\n(.*?)```", README, re.DOTALL)[1])
    command = "-m edge.run photo.jpg --precision fp32 --json - --no-picture"
    got = json.loads(run_python(*command.split(), cwd=folder).stdout)
    assert list(got) == list(shown)
    (face,), (expected,) = got["faces"], shown["faces"]
    assert list(face) == list(expected)
    assert face["box"] == pytest.approx(expected["box"], abs=1)
    for kind in ("keypoints", "measures"):
        for name, values in expected[kind].items():
            assert face[kind][name] == pytest.approx(values, abs=0.5), name


def is_command(module):
    """Whether `python -m module` has something to run."""
    path = ROOT / module.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_every_command_of_the_readme_has_its_module():
    for module in set(re.findall(r"python -m ([\w.]+)", README)):
        assert is_command(module), module


def test_every_local_link_leads_somewhere():
    for document in ("README.md", "CONTRIBUTING.md", "MODEL_CARD.md", "CHANGELOG.md"):
        text = (ROOT / document).read_text("utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if not target.startswith("http"):
                assert (ROOT / target).exists(), f"{document}: {target}"


def test_goals_of_hidden_keypoints_that_are_not_reached_are_named():
    from benchmarks.visibility.__main__ import failures

    text = (ROOT / "docs" / "guides" / "visibility.md").read_text("utf-8")
    results = json.loads((MEASURED / "visibility.json").read_text("utf-8"))
    goals = text.partition("The goals that this does not reach")[2]
    assert re.findall(r"^- (.*)$", goals, re.MULTILINE) == failures(results)


def test_the_guide_to_hidden_keypoints_shows_the_sample(sample, tmp_path, run_python):
    text = (ROOT / "docs" / "guides" / "visibility.md").read_text("utf-8")
    shutil.copy(sample, tmp_path / "photo.jpg")
    command = "-m edge.run photo.jpg --precision fp32 --visible --json - --no-picture"
    (face,) = json.loads(run_python(*command.split()).stdout)["faces"]
    shown = json.loads("{" + re.search(r"```json\n(.*?)```", text, re.DOTALL)[1] + "}")
    assert shown["visible"] == pytest.approx(face["visible"], abs=0.002)


def test_the_measured_expressions_reach_their_goals():
    from benchmarks.evaluation.expressions import failures
    from edge.analysis.expressions import Expressions

    results = json.loads((MEASURED / "expressions.json").read_text("utf-8"))
    assert failures(results) == []
    tell = Expressions()
    embedded = {n: round(v, 3) for n, v in zip(tell.names, tell.correlations, strict=True)}
    assert results["heads"] == embedded


def test_the_runtimes_document_shows_what_is_printed(folder, run_python):
    from benchmarks.head_pose import failures

    text = (ROOT / "docs" / "runtime.md").read_text("utf-8")
    assert failures(json.loads((MEASURED / "head_pose.json").read_text("utf-8"))) == []
    shown = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL)[1])
    command = "-m edge.run photo.jpg --precision fp32 --json - --no-picture"
    (face,) = json.loads(run_python(*command.split(), cwd=folder).stdout)["faces"]
    for name, values in shown.items():
        for key, value in values.items():
            expected = pytest.approx(value, rel=0.1, abs=1.0 if name.endswith("_deg") else 0.01)
            assert face["measures"][name][key] == expected, name
    for name in face["measures"]:
        assert f"`{name}`" in text


def test_the_raspberry_pis_document_shows_what_was_measured():
    from benchmarks.arm.tables import failures

    text = (ROOT / "docs" / "raspberry-pi.md").read_text("utf-8")
    pi, matrix = (
        json.loads((MEASURED / name).read_text("utf-8")) for name in ("pi.json", "matrix.json")
    )
    assert failures(pi) == []
    assert {row["ended"] for row in matrix["rows"]} == {"passed"}
    for module in re.findall(r"python -m ([\w.]+)", text):
        assert is_command(module), module


def test_the_versions_in_the_pis_document_are_those_that_are_tested():
    from benchmarks.harness.minimum_versions import minimum_versions

    text = (ROOT / "docs" / "raspberry-pi.md").read_text("utf-8")
    for python in ("3.11", "3.12", "3.13", "3.14"):
        for package, version in minimum_versions(python).items():
            if version != minimum_versions("3.10")[package]:
                assert f"{package.replace('pillow', 'Pillow')} {version}" in text


def test_the_document_on_archives_shows_what_was_measured_and_is_printed(folder, run_python):
    pytest.importorskip("pyarrow")
    from PIL import Image

    text = (ROOT / "docs" / "bulk.md").read_text("utf-8")
    results = json.loads((MEASURED / "bulk.json").read_text("utf-8"))
    runs = results["runs"]
    assert all(run["same_rows"] for run in runs.values())
    assert f"took {runs['ray']['seconds'] / runs['local']['seconds'] - 1:.0%} longer" in text
    assert f"load of {results['machine']['load_before']:.1f}" in text
    for cost in results["costs"][1:]:
        assert f"{cost['decode_share']:.0%}" in text

    (folder / "archive").mkdir()
    (folder / "photo.jpg").rename(folder / "archive" / "photo.jpg")
    Image.new("RGB", (64, 64)).save(folder / "archive" / "plain.png")
    (folder / "archive" / "broken.jpg").write_text("no picture")
    block = re.search(r"```console\n\$ python (.*)\n([^`]*)```", text)
    done = run_python(*shlex.split(block[1]), cwd=folder)
    assert done.returncode == 1
    printed, shown = (said.rpartition(";") for said in (done.stderr.decode(), block[2]))
    assert printed[0] == shown[0]
    assert re.sub(r"[\d.]+", "0", printed[2]) == re.sub(r"[\d.]+", "0", shown[2])
