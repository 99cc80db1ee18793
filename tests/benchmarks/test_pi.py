import json
import os
import shutil

import pytest

from benchmarks import pi
from benchmarks.arm.cpu_features import has_dot_product
from benchmarks.arm.instruction_count import WORK
from benchmarks.arm.qemu import BOARDS, emulate
from benchmarks.arm.rootfs import install, make_rootfs
from benchmarks.evaluation.agreement import compare
from benchmarks.harness.minimum_versions import minimum_versions
from benchmarks.harness.processes import ProcessResult
from benchmarks.harness.project import build_wheel
from edge.errors import SourceError


def test_the_first_twenty_photos_are_taken(tmp_path):
    folder = tmp_path / "helen" / "images"
    folder.mkdir(parents=True)
    with pytest.raises(SourceError, match="expected photos in helen/images/, found none"):
        pi.find_photos(tmp_path)
    for number in reversed(range(30)):
        (folder / f"{number:02}.jpg").touch()
    assert [path.name for path in pi.find_photos(tmp_path)] == [f"{n:02}.jpg" for n in range(20)]
    assert pi.find_photos(None) == []


def test_the_minimum_runtime_gets_all_minimum_versions():
    minimum = minimum_versions("3.11")
    assert pi.requirements(minimum["onnxruntime"]) == [f"{n}=={v}" for n, v in minimum.items()]
    assert pi.requirements("1.23.0") == ["numpy", "pillow", "onnxruntime==1.23.0"]
    assert pi.requirements("newest")[-1] == "onnxruntime"


def test_a_missing_tool_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pi.main(["--work", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        "benchmarks: qemu-aarch64-static: not found; "
        "install it with: apt-get install qemu-user-static\n"
    )


def test_instructions_are_counted_with_the_versions_that_are_kept(tmp_path, monkeypatch, capsys):
    versions = [{"numpy": "2.0", "onnxruntime": "1.20", "pillow": "11.0"}]
    file = tmp_path / "kept.json"
    pinned = []
    monkeypatch.setattr(pi, "make_rootfs", lambda folder: folder)
    monkeypatch.setattr(pi, "build_wheel", lambda folder: folder)
    monkeypatch.setattr(pi, "install", lambda site, packages, wheel: pinned.extend(packages))
    boards = [
        {"processor": board.processor, "precision": p, **dict.fromkeys(WORK, 50_000_000)}
        for board in BOARDS
        for p in ("fp32", "int8")
    ]
    kept = [dict(row) for row in boards]
    file.write_text(json.dumps({"versions": versions, "instructions": kept}), "utf-8")
    monkeypatch.setattr(pi, "count_instructions", lambda *arguments: boards)
    assert pi.main(["--compare", str(file), "--work", str(tmp_path)]) == 0
    assert pinned == ["numpy==2.0", "onnxruntime==1.20", "pillow==11.0"]
    assert "| million instructions, a face, cut out, int8 | 50 | 50 |" in capsys.readouterr().out
    boards[1]["the sample, decoded"] = 60_000_000
    assert pi.main(["--compare", str(file), "--work", str(tmp_path)]) == 1
    assert "cortex-a72, int8, the sample, decoded: 60.0 million" in capsys.readouterr().err
    monkeypatch.setattr(pi, "count_instructions", lambda *arguments: "no emulator")
    assert pi.main(["--compare", str(file), "--work", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "benchmarks: no emulator\n"


def test_a_version_is_compared_with_this_machine_on_each_board(tmp_path, monkeypatch):
    def output(x):
        keypoints = {"nose_tip": {"x": x, "y": 5.0, "error": 2.0}}
        return json.dumps({"image": "a", "faces": [{"box": [0, 0, 9, 9], "keypoints": keypoints}]})

    def emulate(board, rootfs, arguments, site):
        if board.processor == "cortex-a72":
            return ProcessResult(-4, "", "", 50.0)
        return ProcessResult(0, output(5.5), "", 60.0)

    for package in ("numpy-2.0", "onnxruntime-1.20", "pillow-11.0"):
        (tmp_path / f"{package}.dist-info").mkdir()
    monkeypatch.setattr(pi, "emulate", emulate)
    monkeypatch.setattr(
        pi, "run_native", lambda images, precision: ProcessResult(0, output(5.0), "", 40.0)
    )
    version = pi.run_version(pi.Installation(tmp_path, tmp_path, [pi.SAMPLE]))
    assert (version["numpy"], version["onnxruntime"], version["pictures"]) == ("2.0", "1.20", 1)
    assert version["here"] == {
        "peak_mb": {"fp32": 40.0, "int8": 40.0},
        "int8_from_fp32_rms_px": 0.0,
    }
    ended = [(run["processor"], run["precision"], run["ended"]) for run in version["runs"]]
    assert ended == [
        ("cortex-a72", "fp32", "illegal instruction"),
        ("cortex-a72", "int8", "illegal instruction"),
        ("cortex-a76", "fp32", "runs"),
        ("cortex-a76", "int8", "runs"),
    ]
    assert version["runs"][2]["largest_px"] == version["runs"][3]["from_fp32_rms_px"] == 0.5


@pytest.mark.slow
def test_the_sample_gives_the_same_keypoints_on_the_boards_processors(tmp_path, sample):
    for tool in ("qemu-aarch64-static", "debootstrap"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if os.geteuid() != 0:
        pytest.skip("debootstrap needs to be run as root")
    try:
        rootfs = make_rootfs(tmp_path)
        site = install(tmp_path / "site", pi.requirements("newest"), build_wheel(tmp_path))
    except OSError as error:
        pytest.skip(f"the packages cannot be downloaded: {error}")
    assert [has_dot_product(board, rootfs) for board in BOARDS] == [False, True]
    native = pi.run_native([sample], "fp32")
    for board in BOARDS:
        emulated = emulate(board, rootfs, pi.edge_arguments([sample], "fp32"), site)
        assert emulated.outcome == "runs"
        agreement = compare(native.output, emulated.output)
        assert (agreement.faces, agreement.only_one) == (1, 0)
        assert agreement.largest_px <= 0.1
