from benchmarks.engines import __main__ as engines

KEYPOINTS = {
    "network": "keypoints.onnx", "failure": None, "ms": 1.5, "onnxruntime_ms": 1.0,
    "time_ratio": 1.5, "mean_px": 0.0001, "max_px": 0.0004,
}  # fmt: skip
CELLS = {
    "network": "face.onnx, to the cells", "failure": None, "ms": 1.5, "onnxruntime_ms": 2.0,
    "time_ratio": 0.75, "faces": 124, "found": 123, "extra": 2, "max_px": 0.51,
}  # fmt: skip
BROKEN = {"network": "face.onnx", "failure": "no NonZero"}


def results(*networks):
    return {
        "engines": [
            {"engine": "Fast", "versions": {"fast": "1.2", "onnxruntime": "1.32"},
             "failure": None, "networks": [*networks]},
            {"engine": "Gone", "versions": {}, "failure": "no such package", "networks": []},
        ]
    }  # fmt: skip


def test_the_table_has_a_row_for_each_network_or_the_reason():
    assert engines.table(results(KEYPOINTS, BROKEN, CELLS)).splitlines()[2:] == [
        "| Fast 1.2 | `keypoints.onnx` | keypoints at most < 0.01 px, mean 0.000 px | 1.50 |",
        "| Fast 1.2 | `face.onnx` | does not run: no NonZero | – |",
        "| Fast 1.2 | `face.onnx`, to the cells | 123 of 124 faces, 2 others, boxes at most "
        "0.51 px | 0.75 |",
        "| Gone | – | no such package | – |",
    ]


def test_an_fp32_network_that_answers_otherwise_is_a_failure():
    assert engines.failures(results(KEYPOINTS, CELLS, BROKEN)) == []
    assert engines.failures(results({**KEYPOINTS, "max_px": 0.5})) == [
        "Fast, keypoints.onnx: keypoints differ by 0.5 px"
    ]


def test_an_engine_that_cannot_be_installed_is_a_row_with_the_reason(tmp_path, monkeypatch):
    def refuse(engine, folder):
        raise OSError("pip: no matching distribution")

    monkeypatch.setattr(engines, "install", refuse)
    assert engines.measure_engine("mnn", tmp_path, {}, []) == {
        "engine": "MNN", "versions": {}, "failure": "pip: no matching distribution", "networks": [],
    }  # fmt: skip


def test_data_that_is_missing_is_one_line(tmp_path, capsys):
    assert engines.main([str(tmp_path), "--work", str(tmp_path / "work")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("benchmarks: ")
    assert error.count("\n") == 1
