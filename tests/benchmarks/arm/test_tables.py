import pytest

from benchmarks.arm.qemu import BOARDS
from benchmarks.arm.tables import facts_table, failures, table, versions_table


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


def test_the_tables_have_every_version_and_every_fact_of_the_last(results):
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
    assert table(results) == f"{versions_table(results)}\n\n{facts}"


def test_without_a_counter_the_table_has_no_counts(results):
    results["instructions"] = "qemu-aarch64: not found"
    assert "instructions" not in facts_table(results)


@pytest.mark.parametrize(
    ("index", "changed", "expected"),
    [
        (0, {}, None),
        (0, {"largest_px": 0.11}, "0.11 px, too far"),
        (1, {"largest_px": 3.0, "largest_of_error": 0.9}, None),
        (1, {"largest_of_error": 1.1}, "1.10 of `error`"),
        (2, {"only_one": 1}, "1 faces in one only"),
        (3, {"ended": "illegal instruction"}, "cortex-a76, int8: illegal instruction"),
    ],
)
def test_each_requirement_that_is_not_met_is_a_line(results, index, changed, expected):
    runs = results["versions"][-1]["runs"]
    runs[index].update(changed)
    lines = failures(results)
    assert len(lines) == (expected is not None)
    assert expected is None or expected in lines[0]


def test_an_older_version_may_fail_but_not_differ(results):
    older = {**results["versions"][0], "runs": [a_run("cortex-a72", "fp32", ended="crash")]}
    results["versions"].insert(0, older)
    assert failures(results) == []
    older["runs"][0].update(ended="runs", largest_px=5.0)
    assert len(failures(results)) == 1
