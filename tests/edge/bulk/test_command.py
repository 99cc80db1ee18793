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
from benchmarks.datasets.synthetic_archive import BAD
from edge.bulk.command import main
from edge.bulk.executors import Engine
from edge.bulk.inputs import list_photos
from edge.bulk.job import BulkRun
from edge.records import csv_header
from edge.run.command import main as run_main
from tests.conftest import ROOT
from tests.deadly import Deadly

LOCAL = ("--engine", "local", "--workers", "2")


@pytest.fixture
def folder(sample, tmp_path, monkeypatch):
    """Five crops of the sample, one without a face, and all kinds of bad files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    photo = Image.open(sample)
    for number in range(5):
        side = 200 + 10 * number
        photo.crop((130, 20, 130 + side, 20 + side)).save(tmp_path / "in" / f"{number}.png")
    Image.new("RGB", (80, 60), "grey").save(tmp_path / "in" / "plain.png")
    for number, make in enumerate(BAD):
        (tmp_path / "in" / f"x{number}.jpg").write_bytes(make())
    (tmp_path / "list.txt").write_text("in/none.jpg\nnowhere://in/a.jpg\nin\n")
    return tmp_path


def read(path):
    return read_rows(path).to_pylist()


def test_every_photo_has_its_rows_and_faces_are_those_of_the_csv(folder, capsys):
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
    for name, said in (
        ("in", "is a directory"), ("in/none.jpg", "no such file"), ("in/x0.jpg", "is empty"),
        ("in/x1.jpg", "not a picture"), ("in/x2.jpg", "cannot be decoded"),
        ("in/x3.jpg", "too large"), ("in/x4.jpg", "is a program"),
        ("nowhere://in/a.jpg", "Protocol not known"),
    ):  # fmt: skip
        assert said in reasons[name], name
    _, err = capsys.readouterr()
    assert "edge: 14 photos: 5 faces, 1 photos without a face, 8 failed; " in err
    assert len([*(folder / "out").glob("part-*")]) == 4

    precise = ["in", "--precision", "fp32", "--no-picture", "--csv", "all.csv"]
    assert run_main(precise) == 1
    with open("all.csv", newline="") as file:
        expected = [*csv.DictReader(file)]
    faces = [row for row in rows if row["status"] == "face"]
    for face, other in zip(faces, expected, strict=True):
        assert [face["image"], face["frame"], face["face"]] == [
            other["image"], int(other["frame"]), int(other["face"])]  # fmt: skip
        for name in csv_header([])[3:]:
            assert face[name] == pytest.approx(float(other[name]), abs=0.011), name
        assert face["nose_tip_x"] == pytest.approx(float(other["nose_tip_x"]), abs=0.02)
        assert face["nose_tip_error"] == pytest.approx(float(other["nose_tip_error"]), abs=0.02)


def test_a_run_goes_on_with_what_is_new_and_does_nothing_twice(folder, capsys):
    command = ["in/?.png", "-o", "out", "--partition", "2", *LOCAL]
    assert main(command) == 0
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "out").glob("part-*")}
    assert main(command) == 1
    assert "holds results already; add --resume" in capsys.readouterr().err
    shutil.copy("in/0.png", "in/5.png")
    assert main([*command, "--resume"]) == 0
    err = capsys.readouterr().err
    assert "edge: 5 photos are done already" in err
    assert "edge: 1 photos: 1 faces" in err
    after = {path.name: path.stat().st_mtime_ns for path in (folder / "out").glob("part-*")}
    assert after.items() > before.items()
    assert [row["image"] for row in read("out")] == [f"in/{number}.png" for number in range(6)]
    manifest = json.loads((folder / "out" / "_manifest.json").read_text())
    assert manifest["photos"] == 6
    assert [one["name"] for one in manifest["partitions"]] == sorted(after)
    assert main([*command, "--resume"]) == 0  # nothing is left
    assert main([*command, "--resume", "--min-score", "0.6"]) == 1
    assert "with min_score 0.5, and this run has 0.6" in capsys.readouterr().err


def test_a_run_that_did_nothing_is_not_gone_on_with_but_begun(folder, capsys):
    assert main(["nowhere://x", "-o", "out", *LOCAL]) == 1
    assert main(["in/0.png", "-o", "out", *LOCAL]) == 0
    assert "edge: 1 photos: 1 faces" in capsys.readouterr().err


def test_shards_into_one_folder_are_the_whole(folder):
    assert main(["in", "-o", "whole", *LOCAL]) == 1
    for number in (1, 2, 3):
        main(["in", "-o", "out", "--shard", f"{number}/3", "--resume", *LOCAL])
    assert read("out") == read("whole")


def test_a_column_of_bytes_gives_what_the_files_give(folder):
    data = [(folder / "in" / f"{number}.png").read_bytes() for number in range(5)]
    pq.write_table(pa.table({"image": data}), "photos.parquet", row_group_size=2)
    assert main(["photos.parquet", "-o", "out", *LOCAL]) == 0
    assert main(["in/?.png", "-o", "files", *LOCAL]) == 0
    for number, (one, other) in enumerate(zip(read("out"), read("files"), strict=True)):
        assert one == {**other, "image": f"photos.parquet#{number}"}


def test_a_photo_that_ends_its_process_fails_and_no_other(folder):
    Image.new("RGB", (1, 1)).save("in/2a.png")
    bulk = BulkRun(Deadly(precision="fp32"), "out")
    bulk.begin(resume=False)
    photos = list_photos(["in/*.png"]).photos
    bulk.run(photos, 4, Engine("local", 2))
    rows = read("out")
    assert {row["image"] for row in rows} == {photo.name for photo in photos}
    (failed,) = (row for row in rows if row["status"] == "failed")
    assert failed["image"] == "in/2a.png"
    assert failed["reason"].startswith("the process that looked at it ended")


def test_workers_that_cannot_start_blame_no_photo(folder, capfd):
    shutil.copy(ROOT / "edge" / "models" / "keypoints.onnx", "mine.onnx")
    bulk = BulkRun(Deadly(model="mine.onnx", precision="fp32"), "out")
    bulk.begin(resume=False)
    os.unlink("mine.onnx")
    with pytest.raises(OSError, match="workers end as soon as they start"):
        bulk.run(list_photos(["in"]).photos, 4, Engine("local", 1))
    assert [*(folder / "out").glob("part-*")] == []


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs to mount a tmpfs"
)
def test_a_full_disk_loses_nothing_that_is_finished(folder, capsys):
    (folder / "small").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", folder / "small"]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount a tmpfs")
    try:
        command = ["in", "-o", "small/out", "--partition", "1", "--engine", "local"]
        assert main(command) == 1
        said = capsys.readouterr().err
        assert "small/out: cannot be written (No space left on device)" in said
        assert "finished partitions are kept: go on with --resume" in said
        finished = len([*(folder / "small" / "out").glob("part-*")])
        assert 0 < finished < 11
        subprocess.run(["mount", "-o", "remount,size=10m", folder / "small"], check=True)
        assert main([*command, "--resume"]) == 1
        assert f"edge: {finished} photos are done already" in capsys.readouterr().err
        assert main(["in", "-o", "whole", *LOCAL]) == 1
        assert read("small/out") == read("whole")
    finally:
        subprocess.run(["umount", folder / "small"], check=True)


@pytest.mark.skipif(os.name != "posix", reason="is another signal there")
def test_a_run_that_is_interrupted_says_so_and_can_go_on(folder):
    for number in range(40):
        shutil.copy("in/0.png", f"in/more{number}.png")
    command = [sys.executable, "-m", "edge.bulk", "in", "-o", "out", "--partition", "2", *LOCAL]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's job ignores it
    )
    while not [*(folder / "out").glob("part-*")]:
        assert run.poll() is None
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert (run.returncode, said) == (130, "edge: interrupted; go on with --resume\n")
    finished = len(read("out"))
    assert 2 <= finished < 51
    assert json.loads((folder / "out" / "_manifest.json").read_text())["photos"] == finished
    assert main(["in", "-o", "out", "--resume", *LOCAL]) == 1
    assert len(read("out")) == 51


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--shard", "4/3"], "expected I/N with I from 1 to N, received '4/3'"),
        (["--partition", "0"], "expected a number from 1 on, received '0'"),
        (["--engine", "local", "--address", "auto"], "--engine local uses none"),
        (["--min-score", "2"], "min_score must lie between 0 and 1"),
        (["--detector", "face.txt"], "detector must be face, haar, none"),
    ],
)
def test_wrong_usage(folder, capsys, arguments, said):
    try:
        status = main(["in", "-o", "out", *arguments])
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("missing", "extra", "arguments"),
    [("pyarrow", "bulk", LOCAL), ("fsspec", "bulk", LOCAL), ("ray", "ray", ["--engine", "ray"])],
)
def test_what_is_not_installed_is_said(folder, run_python, missing, extra, arguments):
    code = (
        f"import sys; sys.modules[{missing!r}] = None; from edge.bulk.command import main; "
        f"sys.exit(main(['in', '-o', 'out', *{[*arguments]!r}]))"
    )
    done = run_python("-c", code, cwd=folder)
    assert done.returncode == 1
    said = done.stderr.decode()
    assert said.startswith(f"edge: bulk runs need {missing} (")
    assert said.endswith(f"): pip install 'edge-keypoints[{extra}]'\n")
    assert not (folder / "out").exists()


def test_help_needs_nothing(run_python):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['pyarrow', 'fsspec', 'ray', 'numpy'])); "
        "from edge.bulk.command import main; main(['--help'])"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    assert b"python -m edge.bulk archive/ -o faces/" in done.stdout
