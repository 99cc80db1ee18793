import csv
import json
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.image import load_image
from edge.networks.keypoint_model import EMBEDDED
from edge.run.command import main
from tests.edge.run.command_line import CROP, FP32, read_records
from tests.made_models import write_keypoint_model

# Modules that are not installed with the runtime.
BLOCKED = ["tensorflow", "keras", "pandas", "onnx", "matplotlib", "train", "export", "benchmarks"]
RUN_BLOCKED = (
    f"import sys, runpy; sys.modules.update(dict.fromkeys({BLOCKED!r}));"
    "runpy.run_module('edge.run', run_name='__main__')"
)


@pytest.fixture
def photo(sample, tmp_path):
    return shutil.copy(sample, tmp_path / "photo.jpg")


def crop_of(sample, path):
    Image.open(sample).crop((174, 64, 274, 164)).save(path)
    return path


def test_by_default_faces_are_printed_and_an_annotated_image_is_beside_the_photo(photo, capsys):
    assert main([str(photo)]) == 0
    out, err = capsys.readouterr()
    match = re.fullmatch(rf"{re.escape(str(photo))}: face 0 at x (\d+), y (\d+), .*\n", out)
    assert [int(number) for number in match.groups()] == pytest.approx([179, 66], abs=4)
    annotated = photo.with_name("photo.keypoints.jpg")
    assert err == f"{photo}: annotated image: {annotated}\n"
    with Image.open(annotated) as image:
        assert image.size == (512, 512)


def test_without_training_packages_and_opencv_a_crop_is_processed(sample, tmp_path, run_python):
    crop = crop_of(sample, tmp_path / "crop.png")
    code = RUN_BLOCKED.replace(
        "sys.modules.update", "sys.modules['cv2'] = None; sys.modules.update"
    )
    done = run_python("-c", code, crop, "--detector", "none", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["faces"]) == 1
    refused = run_python("-c", code, crop, "--detector", "haar")
    assert refused.returncode == 1
    assert b"edge-keypoints[haar]" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_the_sample_runs_without_training_packages(photo, run_python):
    done = run_python("-c", RUN_BLOCKED, photo)
    assert done.returncode == 0, done.stderr
    assert b"face 0 at x" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="the folders of these files are those of Unix")
def test_onnxruntime_writes_no_files(photo, tmp_path, run_python):
    home = tmp_path / "home"
    home.mkdir()
    # Already set in this process; and onnxruntime sends nothing where it detects a test or CI.
    unset = ("ORT_DISABLE_TELEMETRY", "PYTEST_CURRENT_TEST", "CI", "GITHUB_ACTIONS")
    code = (
        f"import os, sys; [os.environ.pop(name, None) for name in {unset}];"
        f"os.execv(sys.executable, [sys.executable, '-m', 'edge.run', {str(photo)!r}])"
    )
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "TMPDIR": str(home)}
    done = run_python("-c", code, **places)
    assert done.returncode == 0, done.stderr
    assert not list(home.rglob("*"))


def test_help_and_version_import_nothing_heavy(run_python):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['numpy', 'PIL', 'onnxruntime', 'cv2']));"
        "import runpy; runpy.run_module('edge.run', run_name='__main__')"
    )
    for flag, words in (("--help", b"Exit status"), ("--version", b"edge 0.")):
        done = run_python("-c", code, flag)
        assert done.returncode == 0, done.stderr
        assert words in done.stdout


def test_a_bad_file_among_many_is_reported_and_the_others_processed(photo, tmp_path, capsys):
    text, missing = tmp_path / "text.jpg", tmp_path / "missing.jpg"
    text.write_text("no image")
    out, table = tmp_path / "out", tmp_path / "faces.csv"
    names = [text, photo, missing, photo]
    assert main([*map(str, names), "-o", str(out), "--csv", str(table), "--json", "-"]) == 1
    stdout, stderr = capsys.readouterr()
    assert [json.loads(line)["image"] for line in stdout.splitlines()] == [str(photo)] * 2
    assert f"edge: {text}: " in stderr
    assert "missing.jpg: no such file" in stderr
    assert stderr.splitlines()[-1] == "edge: 2 of 4 sources failed"
    assert len(table.read_text().splitlines()) == 3
    assert sorted(p.name for p in out.iterdir()) == [
        "photo.keypoints-2.jpg",
        "photo.keypoints.jpg",
    ]


def test_an_image_without_a_face_is_not_a_failure(tmp_path, capsys):
    path = tmp_path / "wall.png"
    Image.new("RGB", (300, 200), "grey").save(path)
    assert main([str(path), "--json", "-", "--no-picture"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["faces"] == []
    assert err == f"{path}: no face found\n"


def test_a_hyphen_reads_an_image_from_standard_input(sample, tmp_path, run_python):
    data = crop_of(sample, tmp_path / "crop.png").read_bytes()
    done = run_python("-m", "edge.run", "-", "--detector", "none", "--csv", "-", stdin=data)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"image,frame,face,score,box_x")
    assert (tmp_path / "stdin.keypoints.jpg").exists()


def make_bad(kind, sample, folder):
    path = folder / "bad.jpg"
    if kind == "text":
        path.write_text("hello")
    elif kind == "truncated":
        path.write_bytes(sample.read_bytes()[:20_000])
    elif kind == "empty":
        path.touch()
    elif kind == "directory":
        path.mkdir()
    return path


@pytest.mark.parametrize("kind", ["text", "truncated", "empty", "directory", "missing"])
def test_bad_input_is_one_line_and_exit_1(kind, sample, tmp_path, capsys):
    path = make_bad(kind, sample, tmp_path)
    assert main([str(path), "--detector", "none"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith(f"edge: {path}: ")


def save_as(name, crop, folder):
    """Save the crop in the format of this name; returns its path."""
    grey = crop.convert("L")
    images = {
        "16-bit.png": grey.convert("I").point(lambda v: v * 257).convert("I;16"),
        "cmyk.jpg": crop.convert("CMYK"),
        "rgba.png": crop.convert("RGBA"),
        "palette.gif": grey.convert("P"),
        "one-bit.png": crop.convert("1"),
        "1x1.png": Image.new("RGB", (1, 1), "red"),
    }
    images[name].save(folder / name)
    return folder / name


@pytest.mark.parametrize(
    "name", ["16-bit.png", "cmyk.jpg", "rgba.png", "palette.gif", "one-bit.png", "1x1.png"]
)
def test_unusual_image_formats_are_read(name, sample, tmp_path, capsys):
    crop = Image.open(sample).crop((174, 64, 274, 164))
    path = save_as(name, crop, tmp_path)
    assert main([str(path), *CROP, "--json", "-"]) == 0
    (face,) = json.loads(capsys.readouterr().out)["faces"]
    if name in ("16-bit.png", "rgba.png", "palette.gif"):
        plain = tmp_path / "plain.png"
        crop.save(plain)
        assert main([str(plain), *CROP, "--json", "-"]) == 0
        (expected,) = json.loads(capsys.readouterr().out)["faces"]
        for keypoint, point in expected["keypoints"].items():
            assert face["keypoints"][keypoint]["x"] == pytest.approx(point["x"], abs=0.2)
            assert face["keypoints"][keypoint]["y"] == pytest.approx(point["y"], abs=0.2)


@pytest.mark.parametrize("kind", ["missing", "corrupt", "contract"])
def test_a_bad_model_is_one_line_and_exit_1(kind, sample, tmp_path, capsys):
    model = tmp_path / "model.onnx"
    if kind == "corrupt":
        model.write_bytes(b"junk")
    elif kind == "contract":
        model.write_bytes(
            EMBEDDED.read_bytes().replace(b"centres at integers", b"corners at integers")
        )
    assert main([str(sample), "--model", str(model), "--no-picture"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith(f"edge: {model}: ")


@pytest.mark.parametrize(
    "arguments", [["--every", "0"], ["--threads", "0"], ["--detector", "cascade"]]
)
def test_a_usage_error_is_one_message_and_exit_2(arguments, sample, capsys):
    try:
        status = main([str(sample), *arguments])
    except SystemExit as stop:  # argparse
        status = stop.code
    assert status == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert arguments[0].strip("-") in err.splitlines()[-1]


def test_info_describes_the_models_of_the_options(capsys):
    assert main(["--info", "--precision", "int8", "--detector", "none", "--threads", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [
        "precision, keypoints:      int8 (requested: int8)",
        "threads:                   2",
    ]


def test_info_of_a_missing_model_is_one_line_and_exit_1(tmp_path, capsys):
    assert main(["--info", "--model", str(tmp_path / "none.onnx")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"edge: {tmp_path / 'none.onnx'}: no such model file")


def test_an_output_that_cannot_be_written_is_one_line(sample, tmp_path, capsys):
    crop = str(crop_of(sample, tmp_path / "crop.png"))
    base = [crop, "--detector", "none"]
    for arguments in (["-o", crop], ["-o", str(tmp_path / "a.xyz")], ["--json", str(tmp_path)]):
        assert main([*base, *arguments]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("flag", ["--json", "--csv", "-o"])
@pytest.mark.parametrize("link", [False, True])
def test_no_output_overwrites_the_input(flag, link, sample, tmp_path, capsys):
    crop = crop_of(sample, tmp_path / "crop.png")
    before = crop.read_bytes()
    target = crop
    if link:
        target = tmp_path / "other.png"
        os.link(crop, target)
    assert main([str(crop), *CROP, flag, str(target)]) == 1
    assert "choose another output" in capsys.readouterr().err
    assert crop.read_bytes() == before


def test_two_outputs_in_one_file_are_refused(sample, tmp_path, capsys):
    crop = str(crop_of(sample, tmp_path / "crop.png"))
    out = str(tmp_path / "out.png")
    assert main([crop, *CROP, "--json", out, "--csv", out]) == 1
    assert main([crop, *CROP, "--json", out, "-o", out]) == 1


def test_file_names_that_are_not_valid_text_are_processed(sample, tmp_path, run_python):
    crop = crop_of(sample, tmp_path / "crop.png")
    odd = os.fsdecode(b"bad\xff name.png")
    shutil.copy(crop, tmp_path / odd)
    shutil.copy(crop, tmp_path / "\u4e2d.png")
    arguments = ["-m", "edge.run", odd, "\u4e2d.png", "crop.png", *CROP, "--csv", "faces.csv"]
    done = run_python(*arguments, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert len((tmp_path / "faces.csv").read_text().splitlines()) == 4


def test_a_closed_or_full_output_is_no_traceback(sample, tmp_path, run_python):
    crop = crop_of(sample, tmp_path / "crop.png")
    command = f"{sys.executable} -m edge.run {crop} {crop} {' '.join(CROP)} --no-picture --json -"
    code = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1], shell=True).returncode)"
    closed = run_python("-c", code, f"{command} | true")
    assert b"Traceback" not in closed.stderr
    if os.path.exists("/dev/full"):
        full = run_python("-c", code, f"{command} > /dev/full")
        assert full.returncode == 1
        assert b"Traceback" not in full.stderr
        assert len(full.stderr.splitlines()) == 1


def test_names_on_a_very_long_image_fit_in_memory(tmp_path):
    path = tmp_path / "long.png"
    Image.new("RGB", (1, 5000), "grey").save(path)
    assert main([str(path), *CROP, "--names"]) == 0


def test_a_missing_extra_is_an_error_before_existing_results_are_changed(
    sample, tmp_path, monkeypatch, capsys
):
    from edge.networks.haar import _open_cascade

    kept = tmp_path / "kept.jsonl"
    kept.write_text("old")
    _open_cascade.cache_clear()
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert main([str(sample), "--detector", "haar", "--json", str(kept)]) == 1
    assert "edge-keypoints[haar]" in capsys.readouterr().err
    assert kept.read_text() == "old"


def test_the_68_points_are_in_both_tables_and_drawn(photo, model68, tmp_path):
    table, lines = tmp_path / "f.csv", tmp_path / "f.jsonl"
    options = ["--model", str(model68), "--precision", "fp32", "--points68"]
    assert main([str(photo), *options, "--outline", "--json", str(lines), "--csv", str(table)]) == 0
    (face,) = json.loads(lines.read_text())["faces"]
    (row,) = csv.DictReader(table.read_text().splitlines())
    nose = face["keypoints"]["nose_tip"]
    assert face["points68"][30] == [nose["x"], nose["y"]]  # the 30th repeats the nose tip
    assert [float(row[f"p68_30_{axis}"]) for axis in "xy"] == face["points68"][30]
    assert nose["error90"] == pytest.approx(nose["error"] * 3, rel=0.02)
    with Image.open(photo.with_name("photo.keypoints.jpg")) as outlined:
        with_lines = np.asarray(outlined).astype(int)
    assert main([str(photo), *options, "--no-picture", "--json", str(lines)]) == 0
    assert main([str(photo), *options[:-1]]) == 0
    with Image.open(photo.with_name("photo.keypoints.jpg")) as plain:
        assert (abs(np.asarray(plain).astype(int) - with_lines).max(axis=-1) > 90).sum() > 100


def test_68_points_of_crops_and_videos_are_written(model68, film, tmp_path, sample):
    np.save(
        tmp_path / "crops.npy", np.asarray(Image.open(sample).convert("L").resize((96, 96)))[None]
    )
    sources = [str(tmp_path / "crops.npy"), str(film)]
    options = ["--model", str(model68), "--points68", "--no-picture"]
    assert main([*sources, *options, "--json", str(tmp_path / "f.jsonl")]) == 0
    records = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    assert len(records) == 21
    assert {len(face["points68"]) for record in records for face in record["faces"]} == {68}


def test_68_points_of_a_model_without_them_are_one_line_and_exit_1(photo, tmp_path, capsys):
    pytest.importorskip("onnx")
    path = write_keypoint_model(tmp_path / "plain.onnx", points68=False)
    assert main([str(photo), "--model", str(path), "--points68"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "plain.onnx: this model predicts no 68 points" in line


def test_the_small_model_is_chosen_by_its_name(photo, tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnx")
    path = tmp_path / "keypoints-small.onnx"
    monkeypatch.setattr("edge.networks.keypoint_model.EMBEDDED_SMALL", path)
    arguments = [str(photo), "--model", "small", "--no-picture"]
    assert main(arguments) == 1
    assert "this installation has no small keypoint model" in capsys.readouterr().err
    write_keypoint_model(path)
    assert main(arguments) == 0
    assert main(["--info", "--model", "small"]) == 0
    assert re.search(r"keypoints-small\.onnx: +[\d,]+ bytes, SHA-256", capsys.readouterr().out)


def test_an_annotated_image_on_standard_output_is_alone_there(photo, tmp_path, capsysbinary):
    assert main([str(photo), "-o", "-", "--csv", str(tmp_path / "f.csv"), *FP32]) == 0
    captured = capsysbinary.readouterr()
    assert load_image(captured.out).shape == load_image(photo).shape
    assert captured.err.endswith(b"annotated image: standard output\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.csv", photo.name]


def test_a_run_with_odd_names_is_resumed_without_doubles(sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ['"q".jpg', "l\n.jpg", "r\r.jpg", os.fsdecode(b"\xff.jpg"), "z.jpg"]
    for name in names:
        Image.open(sample).save(name, "JPEG")
    arguments = [".", "--no-picture", "--json", "f.jsonl", "--csv", "f.csv", *FP32]
    assert main(arguments) == 0
    before = Path("f.jsonl").read_bytes(), Path("f.csv").read_bytes()
    for _ in range(2):
        assert main([*arguments, "--resume"]) == 0
        assert (Path("f.jsonl").read_bytes(), Path("f.csv").read_bytes()) == before
    assert len(read_records(Path("f.jsonl"))) == len(names)


def test_visibility_is_told_where_it_is_asked_for(photo, tmp_path):
    table, rows = tmp_path / "faces.jsonl", tmp_path / "faces.csv"
    outputs = ["--no-picture", "--json", str(table), "--csv", str(rows)]
    assert main([str(photo), *outputs]) == 0
    assert "visible" not in table.read_text("utf-8") + rows.read_text("utf-8")
    assert main([str(photo), *outputs, "--visible"]) == 0
    (face,) = json.loads(table.read_text("utf-8"))["faces"]
    assert min(face["visible"].values()) > 0.5
    header, row = csv.reader(rows.read_text("utf-8").splitlines())
    columns = dict(zip(header, row, strict=True))
    for name, share in face["visible"].items():
        assert float(columns[f"{name}_visible"]) == share


def test_hidden_points_are_drawn_hollow(photo, tmp_path):
    pixels = np.array(Image.open(photo).convert("RGB"))
    pixels[115:190, 170:280] = 235  # nose and mouth
    Image.fromarray(pixels).save(tmp_path / "covered.png")
    drawn = []
    for options in ([], ["--visible"]):
        output = tmp_path / f"drawn{len(options)}.png"
        command = [str(tmp_path / "covered.png"), "-o", str(output), "--min-score", "0.1"]
        assert main([*command, "--precision", "fp32", *options]) == 0
        drawn.append(np.array(Image.open(output)).astype(int))
    is_changed = np.abs(drawn[0] - drawn[1]).sum(axis=2) > 60
    assert is_changed[115:190, 170:280].any()
    assert not is_changed[:100].any()
