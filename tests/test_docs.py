"""What the documents show is what the software does."""

import hashlib
import json
import re
import shlex
import shutil

import pytest

from benchmarks.accuracy import table as accuracy_table
from benchmarks.reporting import tables
from edge.keypoints import KEYPOINT_NAMES
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


def between(text, name):
    part = text.partition(f"<!-- {name}:")[2].partition(f"<!-- end of {name}")[0]
    return "\n".join(line for line in part.splitlines() if line.startswith("|"))


def test_the_readme_is_short():
    assert len(README.splitlines()) < 150


def test_the_results_are_those_measured():
    assert between(README, "results") == tables.models(RESULTS)
    assert RESULTS["machine"]["processor"] in README


def test_the_measured_models_are_the_embedded_ones():
    from edge.networks.keypoint_model import EMBEDDED

    rows = [*RESULTS["models"], *RESULTS["detectors"]]
    measured = {row.get("model") or row["file"]: row["sha256"] for row in rows}
    analysis = json.loads((MEASURED / "analysis.json").read_text("utf-8"))
    measured["eyes.onnx"] = analysis["sha256"]
    for path in EMBEDDED.parent.glob("*.onnx"):  # other measured models are there to compare
        assert measured[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_page_on_benchmarks_shows_what_was_measured():
    text = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    for name in ("models", "peers", "precision", "offline", "stages", "machine"):
        assert between(text, name) == getattr(tables, name)(RESULTS), name


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
            assert row[what] == (small if small_ms < MAX_TIME_RATIO * full_ms else name)


def test_the_detectors_results_are_those_measured():
    from benchmarks.detection import table as detection_table
    from edge.networks.face_detector import EMBEDDED, FaceDetector

    results = json.loads((MEASURED / "detection.json").read_text("utf-8"))
    assert detection_table(results) in CARD
    version = FaceDetector(EMBEDDED).metadata["model_version"]
    assert results["version"] == version
    assert f"version `{version}`" in CARD
    assert f"{results['parameters']:,}".replace(",", " ") in CARD


def test_the_kept_keras_detector_is_the_one_that_was_exported():
    from edge.networks.face_detector import EMBEDDED, FaceDetector

    kept = ROOT / "export" / "models" / "face" / "model.keras"
    digest = hashlib.sha256(kept.read_bytes()).hexdigest()
    assert digest == FaceDetector(EMBEDDED).metadata["sha256_keras"]


def test_the_model_cards_results_are_those_measured():
    assert between(CARD, "results") == accuracy_table(ACCURACY)
    row = ACCURACY["models"][0]
    kaggle, helen = row["kaggle"], row["helen"]
    for name in KEYPOINT_NAMES:
        cells = [
            *(f"{kaggle[k]['rmse_px_per_keypoint'][name]:.2f} px" for k in kaggle),
            f"{helen['annotated square']['error_per_keypoint'][name]:.1%}",
            f"{helen['share_inside_error']['per_keypoint'][name]:.0%}",
        ]
        assert f"| {name} | " + " | ".join(cells) + " |" in between(CARD, "keypoints")


def test_the_research_networks_results_are_those_measured():
    results = json.loads((MEASURED / "research.json").read_text("utf-8"))
    assert between(CARD, "research") == accuracy_table(results)


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


def test_the_guide_to_expressions_shows_what_was_measured():
    from benchmarks.evaluation.expressions import failures, table
    from edge.analysis.expressions import Expressions

    text = (ROOT / "docs" / "guides" / "expressions.md").read_text("utf-8")
    results = json.loads((MEASURED / "expressions.json").read_text("utf-8"))
    assert between(text, "expressions") == table(results).replace("\n\n", "\n")
    assert failures(results) == []
    tell = Expressions()
    embedded = {n: round(v, 3) for n, v in zip(tell.names, tell.correlations, strict=True)}
    assert results["heads"] == embedded


def test_the_runtimes_document_shows_what_was_measured_and_is_printed(folder, run_python):
    from benchmarks.head_pose import failures as head_pose_failures
    from benchmarks.head_pose import table as head_pose_table
    from benchmarks.runtime import table as runtime_table
    from benchmarks.tracking import table

    text = (ROOT / "docs" / "runtime.md").read_text("utf-8")
    results = json.loads((ROOT / "benchmarks" / "results" / "tracking.json").read_text("utf-8"))
    assert table(results) in text
    results = json.loads((ROOT / "benchmarks" / "results" / "runtime.json").read_text("utf-8"))
    assert runtime_table(results) in text
    results = json.loads((MEASURED / "head_pose.json").read_text("utf-8"))
    assert between(text, "head pose") == head_pose_table(results).replace("\n\n", "\n")
    assert head_pose_failures(results) == []
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
    from benchmarks.arm.tables import facts_table, failures, versions_table
    from benchmarks.matrix import table as matrix_table

    text = (ROOT / "docs" / "raspberry-pi.md").read_text("utf-8")
    pi, matrix = (
        json.loads((MEASURED / name).read_text("utf-8")) for name in ("pi.json", "matrix.json")
    )
    assert between(text, "pi") == f"{versions_table(pi)}\n{facts_table(pi)}"
    assert failures(pi) == []
    assert between(text, "matrix") == matrix_table(matrix)
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

    from benchmarks.bulk import cost_table, run_table

    text = (ROOT / "docs" / "bulk.md").read_text("utf-8")
    results = json.loads((MEASURED / "bulk.json").read_text("utf-8"))
    runs = results["runs"]
    assert between(text, "bulk") == run_table(results)
    assert cost_table(results) in text
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
