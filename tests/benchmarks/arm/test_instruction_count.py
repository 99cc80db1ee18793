import pytest

from benchmarks.arm.instruction_count import WORK, count_instructions, exceeding, parse_count


def test_the_count_is_read_from_the_plugins_output():
    assert parse_count("a warning\ninstructions: 1525826976\n") == 1_525_826_976
    with pytest.raises(ValueError, match="expected the plugin's count, received 'nothing'"):
        parse_count("nothing")


def test_without_the_counting_emulator_its_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert count_instructions(tmp_path, tmp_path, tmp_path).endswith("apt-get install qemu-user")


def test_the_count_is_that_of_one_repetition(tmp_path, monkeypatch):
    # An emulator whose program takes 1000 instructions to start and 7 per repetition.
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "qemu-aarch64").write_text(
        '#!/bin/sh\nfor times; do :; done\necho "instructions: $((1000 + 7 * times))" >&2\n',
        "ascii",
    )
    (tools / "cc").write_text("#!/bin/sh\n", "ascii")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/bin:/usr/bin")
    rows = count_instructions(tmp_path, tmp_path / "tree", tmp_path / "site")
    assert [(row["processor"], row["precision"]) for row in rows] == [
        ("cortex-a72", "fp32"), ("cortex-a72", "int8"),
        ("cortex-a76", "fp32"), ("cortex-a76", "int8"),
    ]  # fmt: skip
    assert all(row["a face, cut out"] == row["the sample, decoded"] == 7 for row in rows)


def counts(processor, precision, *numbers):
    return {"processor": processor, "precision": precision, **dict(zip(WORK, numbers, strict=True))}


def test_counts_that_have_grown_by_more_than_the_tolerance_are_named():
    kept = [counts("cortex-a72", "fp32", 70e6, 90e6), counts("cortex-a76", "int8", 25e6, 40e6)]
    same = [counts("cortex-a76", "int8", 25.7e6, 30e6)]  # 2.8 % more, and less
    assert exceeding(same, kept) == []
    (line,) = exceeding([counts("cortex-a72", "fp32", 70e6, 99e6)], kept)
    assert line == (
        "cortex-a72, fp32, the sample, decoded: 99.0 million instructions, 10.0% more than the "
        "90.0 that are kept"
    )
    with pytest.raises(KeyError):
        exceeding([counts("cortex-a76", "fp32", 1, 1)], kept)
