import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bulk_jobs.fault_injection import read_rows
from benchmarks.datasets.synthetic_archive import INVALID_FILES
from edge.bulk import command
from edge.bulk.command import main
from edge.bulk.options import parse_args
from edge.records import csv_header
from edge.run.command import main as run_main
from tests.conftest import ROOT

LOCAL = ("--engine", "local", "--workers", "2")


@pytest.fixture
def folder(crops):
    """Five photos with a face, one without, and all kinds of invalid files."""
    Image.new("RGB", (80, 60), "grey").save(crops / "in" / "plain.png")
    for number, make in enumerate(INVALID_FILES):
        (crops / "in" / f"x{number}.jpg").write_bytes(make())
    (crops / "list.txt").write_text("in/none.jpg\nnowhere://in/a.jpg\nin\n")
    return crops


def read(path):
    return read_rows(path).to_pylist()


def test_every_photo_has_rows_and_faces_are_those_of_the_csv(folder, capsys):
    assert main(["in", "list.txt", "-o", "out", "--partition", "4", *LOCAL]) == 1
    rows = read("out")
    statuses = {row["image"]: row["status"] for row in rows}
    assert len(rows) == 14
    assert [name for name, status in statuses.items() if status == "face"] == [
        f"in/{number}.png" for number in range(5)
    ]
    assert statuses["in/plain.png"] == "no face"
    reasons = {row["image"]: row["reason"] for row in rows if row["status"] == "failed"}
    assert [*reasons] == [
        "in",
        "in/none.jpg",
        *(f"in/x{n}.jpg" for n in range(5)),
        "nowhere://in/a.jpg",
    ]
    for name, reason in (
        ("in", "is a directory"), ("in/none.jpg", "no such file"), ("in/x0.jpg", "is empty"),
        ("in/x1.jpg", "in any known format"), ("in/x2.jpg", "cannot be decoded"),
        ("in/x3.jpg", "too large"), ("in/x4.jpg", "is a program"),
        ("nowhere://in/a.jpg", "Protocol not known"),
    ):  # fmt: skip
        assert reason in reasons[name], name
    _, err = capsys.readouterr()
    assert "edge: 14 photos: 5 faces, 1 photos without a face, 8 failed; " in err
    assert len([*(folder / "out").glob("part-*")]) == 4

    precise = ["in", "--precision", "fp32", "--no-picture", "--csv", "all.csv"]
    assert run_main(precise) == 1
    with open("all.csv", newline="") as file:
        expected = [*csv.DictReader(file)]
    faces = [row for row in rows if row["status"] == "face"]
    for face, row in zip(faces, expected, strict=True):
        assert [face["image"], face["frame"], face["face"]] == [
            row["image"], int(row["frame"]), int(row["face"])]  # fmt: skip
        for name in csv_header([])[3:]:
            assert face[name] == pytest.approx(float(row[name]), abs=0.011), name
        assert face["nose_tip_x"] == pytest.approx(float(row["nose_tip_x"]), abs=0.02)
        assert face["nose_tip_error"] == pytest.approx(float(row["nose_tip_error"]), abs=0.02)


def test_a_resumed_run_processes_new_photos_alone(folder, capsys):
    arguments = ["in/?.png", "-o", "out", "--partition", "2", *LOCAL]
    assert main(arguments) == 0
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "out").glob("part-*")}
    assert main(arguments) == 1
    assert "holds results already; add --resume" in capsys.readouterr().err
    shutil.copy("in/0.png", "in/5.png")
    assert main([*arguments, "--resume"]) == 0
    err = capsys.readouterr().err
    assert "edge: 5 photos are done already" in err
    assert "edge: 1 photos: 1 faces" in err
    after = {path.name: path.stat().st_mtime_ns for path in (folder / "out").glob("part-*")}
    assert after.items() > before.items()
    assert [row["image"] for row in read("out")] == [f"in/{number}.png" for number in range(6)]
    manifest = json.loads((folder / "out" / "_manifest.json").read_text())
    assert manifest["photos"] == 6
    assert [partition["name"] for partition in manifest["partitions"]] == sorted(after)
    assert main([*arguments, "--resume"]) == 0  # nothing remains
    assert main([*arguments, "--resume", "--min-score", "0.6"]) == 1
    assert "with min_score 0.5, and this run has 0.6" in capsys.readouterr().err


def test_shards_into_one_folder_equal_a_run_without_shards(folder):
    assert main(["in", "-o", "whole", *LOCAL]) == 1
    for number in (1, 2, 3):
        main(["in", "-o", "out", "--shard", f"{number}/3", "--resume", *LOCAL])
    assert read("out") == read("whole")


def test_a_column_of_bytes_has_the_rows_of_the_files(folder):
    data = [(folder / "in" / f"{number}.png").read_bytes() for number in range(5)]
    pq.write_table(pa.table({"image": data}), "photos.parquet", row_group_size=2)
    assert main(["photos.parquet", "-o", "out", *LOCAL]) == 0
    assert main(["in/?.png", "-o", "files", *LOCAL]) == 0
    for number, (row, file_row) in enumerate(zip(read("out"), read("files"), strict=True)):
        assert row == {**file_row, "image": f"photos.parquet#{number}"}


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs to mount a tmpfs"
)
def test_finished_partitions_survive_a_full_disk(folder, capsys):
    (folder / "small").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", folder / "small"]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount a tmpfs")
    try:
        arguments = ["in", "-o", "small/out", "--partition", "1", "--engine", "local"]
        assert main(arguments) == 1
        err = capsys.readouterr().err
        assert "small/out: cannot be written (No space left on device)" in err
        assert "finished partitions are kept: continue with --resume" in err
        finished = len([*(folder / "small" / "out").glob("part-*")])
        assert 0 < finished < 11
        subprocess.run(["mount", "-o", "remount,size=10m", folder / "small"], check=True)
        assert main([*arguments, "--resume"]) == 1
        assert f"edge: {finished} photos are done already" in capsys.readouterr().err
        assert main(["in", "-o", "whole", *LOCAL]) == 1
        assert read("small/out") == read("whole")
    finally:
        subprocess.run(["umount", folder / "small"], check=True)


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is another signal on Windows")
def test_an_interrupted_run_can_be_resumed(folder):
    for number in range(40):
        shutil.copy("in/0.png", f"in/more{number}.png")
    arguments = [sys.executable, "-m", "edge.bulk", "in", "-o", "out", "--partition", "2", *LOCAL]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(
        arguments,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # background jobs of a shell ignore it
    )
    while not [*(folder / "out").glob("part-*")]:
        assert run.poll() is None
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (130, "edge: interrupted; continue with --resume\n")
    finished = len(read("out"))
    assert 2 <= finished < 51
    assert json.loads((folder / "out" / "_manifest.json").read_text())["photos"] == finished
    assert main(["in", "-o", "out", "--resume", *LOCAL]) == 1
    assert len(read("out")) == 51


@pytest.mark.parametrize(
    ("missing", "extra", "arguments"),
    [
        ("pyarrow", "bulk", ["--engine", "local"]),
        ("fsspec", "bulk", ["--engine", "local"]),
        ("ray", "ray", ["--engine", "ray"]),
    ],
)
def test_an_extra_that_is_not_installed_is_named(folder, run_python, missing, extra, arguments):
    code = (
        f"import sys; sys.modules[{missing!r}] = None; from edge.bulk.command import main; "
        f"sys.exit(main(['in', '-o', 'out', *{[*arguments]!r}]))"
    )
    done = run_python("-c", code, cwd=folder)
    assert done.returncode == 1
    user = "edge.bulk --engine ray" if missing == "ray" else "edge.bulk"
    err = done.stderr.decode()
    assert err.startswith(f"edge: {user} needs {missing} (")
    assert err.endswith(f"; install it with: pip install 'edge-keypoints[{extra}]'\n")
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--min-score", "2"], "min_score must lie between 0 and 1"),
        (["--detector", "face.txt"], "detector must be face, haar, none"),
    ],
)
def test_a_setting_out_of_range_is_a_usage_error(folder, capsys, arguments, message):
    assert main(["in", "-o", "out", *LOCAL, *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "ray_is_installed", "kind"),
    [
        ([], False, "local"),
        ([], True, "ray"),
        (["--engine", "local"], True, "local"),
        (["--engine", "ray"], False, "ray"),
        (["--address", "auto"], False, "ray"),
    ],
)
def test_ray_is_the_default_where_it_is_installed(monkeypatch, arguments, ray_is_installed, kind):
    monkeypatch.setattr(command, "find_spec", lambda _: object() if ray_is_installed else None)
    assert command._executor_kind(parse_args(["in", "-o", "out", *arguments])) == kind


def test_the_68_points_are_in_every_partition_and_a_setting_of_the_folder(crops, model68, capsys):
    arguments = ["in", "-o", "out", "--model", str(model68), *LOCAL]
    assert main([*arguments, "--points68"]) == 0
    for row in read("out"):
        assert (row["p68_30_x"], row["p68_30_y"]) == (row["nose_tip_x"], row["nose_tip_y"])
    assert (
        json.loads((crops / "out" / "_manifest.json").read_text())["settings"]["points68"] is True
    )
    assert main([*arguments, "--resume"]) == 1
    assert "with points68 True, and this run has None" in capsys.readouterr().err


def test_assessed_faces_are_those_of_the_csv(tmp_path, sample, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample, "photo.jpg")
    options = ["--analyze", "--quality", "--visible", "--precision", "fp32"]
    assert main(["photo.jpg", "-o", "out", "--expressions", *options, *LOCAL]) == 0
    [row] = read("out")
    table = ["--expressions", "absolute", "--no-picture", "--csv", "all.csv"]
    assert run_main(["photo.jpg", *table, *options]) == 0
    with open("all.csv", newline="") as file:
        [expected] = csv.DictReader(file)
    assert [name for name in row if name not in ("status", "reason")] == [
        name for name in expected if name != "time"
    ]
    shares = ("expressions_smile", "nose_tip_visible")
    for name in ("quality", "quality_sharpness", *shares, "yaw_deg", "lip_opening"):
        assert row[name] == pytest.approx(float(expected[name]), abs=0.02), name
    assert row["focal_source"] == expected["focal_source"] == "assumed"
    assert main(["photo.jpg", "-o", "out", "--resume", *options, *LOCAL]) == 1
