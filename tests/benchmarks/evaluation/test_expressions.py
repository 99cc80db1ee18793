import json
import shutil

from benchmarks.evaluation import expressions
from tests.conftest import SAMPLE


def test_photos_with_and_without_an_expression_are_compared(tmp_path, capsys):
    sources = {"permissive": ("x/smiling_front/1.jpg", "x/neutral_front/1.jpg"), "varied": ("", "")}
    for folder, names in sources.items():
        (tmp_path / folder / "images").mkdir(parents=True)
        lines = []
        for number, source in zip((2556, 2557), names, strict=True):  # the second driver yawns
            image = f"images/{number:05}.jpg"
            shutil.copy(SAMPLE, tmp_path / folder / image)
            lines.append(json.dumps({"image": image, "set": "drivers", "source": source}))
        (tmp_path / folder / "annotations.jsonl").write_text("\n".join(lines), "utf-8")
    output = tmp_path / "results.json"
    assert expressions.main([str(tmp_path), "-o", str(output)]) == 1  # the same photo throughout
    results = json.loads(output.read_text("utf-8"))
    found = results["photos"]["smile"]
    assert (found["faces"], found["others"], found["area"]) == (1, 1, 0.5)
    assert found["mean"] == found["mean_of_others"] > 0.7
    assert results["time_ms"] > 0
    printed = capsys.readouterr()
    assert "| `jaw_open` | 1 with it, 1 without |" in printed.out
    assert printed.err.splitlines() == [
        f"benchmarks: {name}: the area under the curve is 0.5" for name in ("smile", "jaw_open")
    ]


def test_missing_data_is_one_line(tmp_path, capsys):
    assert expressions.main([str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
