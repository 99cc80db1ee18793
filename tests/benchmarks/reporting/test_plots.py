import pytest

pytest.importorskip("matplotlib")

from benchmarks.reporting import plots


def test_plots_are_svg_with_the_names_of_what_they_show(results):
    for plot, names in (
        (plots.latency_curves, ["k.onnx", "% of calls"]),
        (plots.throughput, ["k.onnx, 1 thread", "faces a second"]),
        (plots.accuracy_against_latency, ["ours", "ms a photo, one core"]),
        (plots.error_curves, ["ours", "% of faces"]),
        (plots.stages, ["decode", "2.00"]),
    ):
        svg = plot(results)
        assert svg.startswith("<svg")
        assert svg.rstrip().endswith("</svg>")
        for name in names:
            assert f">{name}<" in svg or f"> {name}<" in svg, (plot.__name__, name)


def test_detectors_are_plotted_at_320_px_by_their_names():
    row = {"detector": "a", "detect_size": 320, "small_faces": {"12": 0.5, "16": 1.0}}
    large = {**row, "detector": "b", "detect_size": 640}
    svg = plots.small_faces({"detectors": [row, large]})
    assert "% found" in svg
    assert ">a<" in svg
    assert ">b<" not in svg


def test_without_comparable_methods_nothing_is_plotted(results):
    results["peers"][0]["accuracy"]["keypoints"] = 5
    assert plots.accuracy_against_latency(results) == ""
    assert plots.error_curves(results) == ""


def test_the_same_results_give_the_same_plot(results):
    assert plots.stages(results) == plots.stages(results)
