from benchmarks.analysis.__main__ import failures, main, table

FILM = {"face_px": 60, "blinks": 10, "events": 9, "precision": 1.0, "recall": 0.9, "f1": 0.9474,
        "still_faces": 2, "still_s": 600.0, "invented": {"blink": 1}}  # fmt: skip
EYES = {"eyes": 4, "difference": 0.05, "bias": -0.01, "within": 0.5, "stated": 0.03, "mean": 0.3}
RESULTS = {
    "eyes": {"helen": EYES},
    "mouth": {"faces": 10, "yawning": 5, "area": 0.96},
    "distance": {**EYES, "difference": 0.03},
    "facing": {"difference": 0.0, "area": 0.99},
    "films": [FILM, {**FILM, "face_px": 30, "f1": 0.9, "invented": {"blink": 0}}],
    "time_ms": {"median": 0.5, "keypoints": 1.0, "ratio": 0.5},
}


def test_what_is_missed_is_named():
    assert failures(RESULTS) == [
        "eye openings of helen are off by 0.05 eye widths in the mean",
        "yawns: the area under the curve is 0.96",
        "blinks of faces of 60 px: F1 is 0.9474",
        "faces of 60 px: 1 invented blinks",
    ]


def test_the_table_has_a_row_per_measure_and_size():
    lines = table(RESULTS).splitlines()
    assert "| eye opening | helen, 4 eyes | 0.050 | -0.010 | 50% |" in lines
    assert "| `lip_opening` | drivers, 5 of 10 yawn | 0.960 |" in lines
    assert lines[-1] == "| all measures of a face | 0.50 |"
    assert "| 60 px wide | 10 | 1.000 | 0.900 | 0.947 | 1 in 20 minutes |" in lines


def test_missing_data_are_one_line(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert "annotations.jsonl" in capsys.readouterr().err
