import platform

import numpy as np

from benchmarks.harness import machine


def test_the_machine_is_described_with_versions_and_threads():
    described = machine.describe_machine(threads=3)
    assert (described["threads"], described["numpy"]) == (3, np.__version__)
    assert described["python"] == platform.python_version()
    assert described["memory_mb"] is None or described["memory_mb"] > 100
    assert machine._version("no-such-package") is None


def test_features_are_those_of_the_cpu_that_matter(monkeypatch):
    monkeypatch.setattr(machine, "cpu_lines", lambda: ["flags : fpu avx2 sse avx512_vnni"])
    assert machine.describe_machine(1)["features"] == ["avx2", "avx512_vnni"]


def test_heat_is_that_of_the_hottest_zone(tmp_path, monkeypatch):
    for number, text in enumerate(("41000\n", "52500\n", "broken\n")):
        zone = tmp_path / f"thermal_zone{number}"
        zone.mkdir()
        (zone / "temp").write_text(text)
    (tmp_path / "scaling_cur_freq").write_text("1800000\n")
    firmware = tmp_path / "vcgencmd"
    firmware.write_text("#!/bin/sh\necho throttled=0x50000\n")
    firmware.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(machine, "_THERMAL", tmp_path)
    monkeypatch.setattr(machine, "_FREQUENCY", tmp_path)
    assert machine.describe_heat() == {
        "temperature_c": 52.5, "clock_mhz": 1800.0, "throttled": "0x50000"
    }  # fmt: skip


def test_unknown_heat_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(machine, "_THERMAL", tmp_path)
    monkeypatch.setattr(machine, "_FREQUENCY", tmp_path)
    assert set(machine.describe_heat().values()) == {None}
