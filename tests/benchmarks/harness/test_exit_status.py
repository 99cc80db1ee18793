import json

import pytest

from benchmarks.harness.exit_status import report, report_results, write_results
from edge.errors import ModelError

RESULTS = {"name": "ü", "values": [1, 2]}


def test_results_are_indented_json_with_a_final_newline(tmp_path):
    write_results(RESULTS, tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text("utf-8")
    assert text == json.dumps(RESULTS, indent=2, ensure_ascii=False) + "\n"
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_results_are_written_and_printed_as_a_table(tmp_path, capsys):
    output = tmp_path / "r.json"
    assert report_results(lambda: RESULTS, lambda results: results["name"], output) == 0
    assert json.loads(output.read_text("utf-8")) == RESULTS
    assert capsys.readouterr() == ("ü\n", "")


def test_failed_requirements_are_lines_and_exit_status_1(capsys):
    failures = lambda results: ["too slow", "too large"]  # noqa: E731
    assert report_results(lambda: RESULTS, lambda results: "t", None, failures=failures) == 1
    assert capsys.readouterr() == ("t\n", "benchmarks: too slow\nbenchmarks: too large\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ModelError("no model\nand more"), "no model"),
        (OSError("no file"), "no file"),
        (ValueError("no number"), "no number"),
        (KeyError("nose_tip"), "'nose_tip' is missing"),
    ],
)
def test_an_expected_error_is_one_line(error, line, capsys):
    def fail():
        raise error

    assert report(fail, lambda key: f"{key} is missing") == 1
    assert capsys.readouterr() == ("", f"benchmarks: {line}\n")
