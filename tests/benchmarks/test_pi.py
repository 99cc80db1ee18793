import os
import shutil

import pytest

from benchmarks import pi
from benchmarks.arm.cpu_features import has_dot_product
from benchmarks.arm.instruction_count import count_instructions, parse_count
from benchmarks.arm.qemu import BOARDS, emulate
from benchmarks.arm.rootfs import (
    build_wheel,
    install,
    installed_versions,
    make_tree,
    measure_footprint,
    platforms,
    run_step,
)
from benchmarks.arm.tables import facts_table, failures, versions_table
from benchmarks.evaluation.agreement import compare
from benchmarks.harness.minimum_versions import PYTHONS, lowest, read_lowest
from edge.errors import SourceError


def a_run(processor, precision, **changed):
    row = {
        "processor": processor, "precision": precision, "ended": "runs", "peak_mb": 300.4,
        "pictures": 21, "faces": 22, "only_one": 0, "largest_px": 0.014, "rms_px": 0.005,
        "largest_of_error": 0.009, "from_fp32_rms_px": 0.394,
    }  # fmt: skip
    return {**row, **changed}


@pytest.fixture
def results():
    runs = [a_run(board.processor, name) for board in BOARDS for name in ("fp32", "int8")]
    counts = [
        {"processor": b.processor, "precision": p, "a face, cut out": 15_340_000,
         "the sample, decoded": 400_000_000}
        for b in BOARDS for p in ("fp32", "int8")
    ]  # fmt: skip
    return {
        "dot_product": {"cortex-a72": False, "cortex-a76": True},
        "instructions": counts,
        "versions": [
            {"onnxruntime": "1.17.0", "numpy": "1.24.2", "pillow": "10.1.0",
             "pictures": 21,
             "here": {"peak_mb": {"fp32": 111.0, "int8": 99.0}, "int8_from_fp32_rms_px": 0.405},
             "footprint_mb": {"onnxruntime": 60.2, "edge": 2.9}, "runs": runs}
        ],
    }  # fmt: skip


def test_the_tables_show_what_was_found(results):
    runs = results["versions"][0]["runs"]
    runs[0] = {**a_run("cortex-a72", "fp32"), "ended": "illegal instruction"}
    runs[1] = a_run("cortex-a72", "int8", largest_px=0.982, largest_of_error=0.561)
    runs[2] = a_run("cortex-a76", "fp32", only_one=2)
    row = versions_table(results).splitlines()[-1]
    assert row == (
        "| 1.17.0 | 1.24.2 | 10.1.0 | 21 | illegal instruction | 0.98 px (0.56 of `error`) "
        "| 0.01 px, 2 faces in one only | 0.01 px (0.01 of `error`) |"
    )
    facts = facts_table(results)
    assert "| dot product, tried | refused | runs |" in facts
    assert "| peak MB with the emulator's, fp32 (x86: 111) | – | 300 |" in facts
    assert "| int8 from fp32, root mean square px (x86: 0.41) | 0.39 | 0.39 |" in facts
    assert "| million instructions, a face, cut out, int8 | 15 | 15 |" in facts
    assert "| MB on disk | 63 (onnxruntime 60, edge 3) | 63 (onnxruntime 60, edge 3) |" in facts


def test_without_a_counter_the_table_has_no_counts(results):
    results["instructions"] = "qemu-aarch64: not found"
    assert "instructions" not in facts_table(results)


@pytest.mark.parametrize(
    ("place", "changed", "told"),
    [
        (0, {}, None),
        (0, {"largest_px": 0.11}, "0.11 px, too far"),
        (1, {"largest_px": 3.0, "largest_of_error": 0.9}, None),
        (1, {"largest_of_error": 1.1}, "1.10 of `error`"),
        (2, {"only_one": 1}, "1 faces in one only"),
        (3, {"ended": "illegal instruction"}, "cortex-a76, int8: illegal instruction"),
    ],
)
def test_what_is_not_as_it_must_be_is_told(results, place, changed, told):
    runs = results["versions"][-1]["runs"]
    runs[place].update(changed)
    found = failures(results)
    assert len(found) == (told is not None)
    assert told is None or told in found[0]


def test_an_older_version_may_fail_but_not_differ(results):
    older = {**results["versions"][0], "runs": [a_run("cortex-a72", "fp32", ended="crash")]}
    results["versions"].insert(0, older)
    assert failures(results) == []
    older["runs"][0].update(ended="runs", largest_px=5.0)
    assert len(failures(results)) == 1


def test_the_first_twenty_photos_are_taken(tmp_path):
    folder = tmp_path / "helen" / "images"
    folder.mkdir(parents=True)
    with pytest.raises(SourceError, match="expected photos in helen/images/, found none"):
        pi.find_photos(tmp_path)
    for number in reversed(range(30)):
        (folder / f"{number:02}.jpg").touch()
    assert [path.name for path in pi.find_photos(tmp_path)] == [f"{n:02}.jpg" for n in range(20)]
    assert pi.find_photos(None) == []


def test_the_oldest_runtime_comes_with_the_oldest_of_all():
    oldest = lowest("3.11")
    assert pi.requirements(oldest["onnxruntime"]) == [f"{n}=={v}" for n, v in oldest.items()]
    assert pi.requirements("1.23.0") == ["numpy", "pillow", "onnxruntime==1.23.0"]
    assert pi.requirements("newest")[-1] == "onnxruntime"


def test_lower_bounds_are_read_from_the_project():
    text = '    "numpy>=1.23.5",\n    "onnxruntime>=1.17,!=1.21.0",\n    "pillow>=10.1",\n'
    assert read_lowest(text) == {"numpy": "1.23.5", "onnxruntime": "1.17", "pillow": "10.1"}
    with pytest.raises(ValueError, match="expected numpy>=…"):
        read_lowest("dependencies = []")


def test_no_python_has_a_bound_below_the_projects():
    first = lowest(PYTHONS[0])
    for python in PYTHONS[1:]:
        for name, version in lowest(python).items():
            assert [*map(int, version.split("."))] >= [*map(int, first[name].split("."))]


def test_pip_is_asked_for_any_wheel_the_tree_can_load():
    words = platforms()
    assert words[:2] == ["--platform", "manylinux_2_36_aarch64"]
    assert words[-2:] == ["--platform", "manylinux2014_aarch64"]
    assert "manylinux_2_37_aarch64" not in words


def test_sizes_and_versions_are_those_of_a_folder_of_packages(tmp_path):
    files = {
        "numpy/core.so": 2_000_000, "numpy.libs/blas.so": 1_000_000, "PIL/image.so": 500_000,
        "pillow.libs/jpeg.so": 300_000, "edge/models/k.onnx": 400_000, "flatbuffers/x.py": 100_000,
        "numpy/__pycache__/x.pyc": 9_000_000, "edge_keypoints-0.1.0.dist-info/METADATA": 100_000,
        "numpy-2.4.6.dist-info/METADATA": 0,
    }  # fmt: skip
    for name, size in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0" * size)
    assert list(measure_footprint(tmp_path).items()) == [
        ("numpy", 3.0), ("pillow", 0.8), ("edge", 0.5), ("others", 0.1)
    ]  # fmt: skip
    assert installed_versions(tmp_path) == {"edge_keypoints": "0.1.0", "numpy": "2.4.6"}


def test_a_step_that_fails_says_its_last_line():
    run_step(["sh", "-c", "true"])
    with pytest.raises(OSError, match=r"^sh: no space left$"):
        run_step(["sh", "-c", "echo begun >&2; echo no space left >&2; exit 3"])


def test_the_plugins_count_is_read():
    assert parse_count("a warning\ninstructions: 1525826976\n") == 1_525_826_976
    with pytest.raises(ValueError, match="expected the plugin's count, received 'nothing'"):
        parse_count("nothing")


def test_a_missing_tool_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pi.main(["--work", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        "benchmarks: qemu-aarch64-static: not found; "
        "install it with: apt-get install qemu-user-static\n"
    )


def test_without_the_counting_emulator_its_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert count_instructions(tmp_path, tmp_path, tmp_path).endswith("apt-get install qemu-user")


@pytest.mark.slow
def test_the_sample_is_seen_alike_on_the_boards_processors(tmp_path, sample):
    for tool in ("qemu-aarch64-static", "debootstrap"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if os.geteuid() != 0:
        pytest.skip("debootstrap needs to be run as root")
    try:
        tree = make_tree(tmp_path)
        site = install(tmp_path / "site", pi.requirements("newest"), build_wheel(tmp_path))
    except OSError as error:
        pytest.skip(f"the packages cannot be had: {error}")
    assert [has_dot_product(board, tree) for board in BOARDS] == [False, True]
    here = pi._look_here([sample], "fp32")
    for board in BOARDS:
        there = emulate(board, tree, pi._arguments([sample], "fp32"), site)
        assert there.verdict == "runs"
        agreement = compare(here.output, there.output)
        assert (agreement.faces, agreement.only_one) == (1, 0)
        assert agreement.largest_px <= 0.1
