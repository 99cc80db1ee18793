import pytest

from benchmarks.arm import cpu_features
from benchmarks.arm.qemu import BOARDS
from benchmarks.harness.processes import ProcessResult


@pytest.mark.parametrize(("status", "expected"), [(0, True), (-4, False)])
def test_an_illegal_instruction_means_that_the_processor_lacks_it(
    status, expected, tmp_path, monkeypatch
):
    result = ProcessResult(status, "", "", 1.0)
    monkeypatch.setattr(cpu_features, "emulate", lambda board, rootfs, arguments: result)
    assert cpu_features.has_dot_product(BOARDS[0], tmp_path) is expected


def test_another_failure_is_an_error(tmp_path, monkeypatch):
    result = ProcessResult(1, "", "no libc\n", 1.0)
    monkeypatch.setattr(cpu_features, "emulate", lambda board, rootfs, arguments: result)
    with pytest.raises(OSError, match=r"^cortex-a72: cannot test the dot product: no libc$"):
        cpu_features.has_dot_product(BOARDS[0], tmp_path)
