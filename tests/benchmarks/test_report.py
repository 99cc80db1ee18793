import copy
import json

import pytest

pytest.importorskip("jsonschema")

from benchmarks.report import compare, main, page, to_html


def write(results, path):
    path.write_text(json.dumps(results))
    return str(path)


def test_a_page_has_its_plots_and_no_external_resources(results):
    pytest.importorskip("matplotlib")
    text = page({"here": results, "there": results})
    assert text.count("<svg") == 2 * 5
    assert "A &lt;fast&gt; one" in text
    for outside in ("src=", "<link", "@import", "<script"):
        assert outside not in text
    assert page({"here": results, "there": results}) == text


def test_a_table_keeps_its_empty_cells():
    html = to_html("| a |  | c |\n|---|---|---|\n|  | 2 | 3 |")
    assert html.count("<th>") == 3
    assert "<tr><td></td><td>2</td><td>3</td></tr>" in html


def test_a_slower_median_is_worse_unless_the_machine_is_slower(results):
    old = copy.deepcopy(results)
    assert compare(results, old, 1.15) == []
    results["single_stream"][0]["p50_ms"] = 1.2
    assert compare(results, old, 1.15) == ["k.onnx: 1.20 ms, before 1.00 ms: 1.20 times"]
    results["matrix_gflops"] = 80.0
    assert compare(results, old, 1.15) == []


def test_the_command_writes_both_and_exits_with_1_if_a_median_is_worse(results, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    old = write(results, tmp_path / "old.json")
    results["single_stream"][0]["p50_ms"] = 2.0
    new = write(results, tmp_path / "new.json")
    assert main([new, old, "-o", str(tmp_path / "report")]) == 0
    assert "| k.onnx | 2.00 ms | 1.00 ms |" in (tmp_path / "report" / "report.md").read_text()
    assert (tmp_path / "report" / "report.html").read_text().startswith("<!doctype html>")
    assert main([new, "--compare", old]) == 1
    assert "2.00 times" in capsys.readouterr().out
    assert main([new, "--compare", old, "--worse", "3"]) == 0


@pytest.mark.parametrize("text", ["{", "{}"])
def test_an_invalid_file_is_one_line(text, tmp_path, capsys):
    other = tmp_path / "other.json"
    other.write_text(text)
    assert main([str(other), "-o", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"benchmarks: {other}: not ")
