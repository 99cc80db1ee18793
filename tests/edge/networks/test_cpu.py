import platform

import pytest

from edge.networks import cpu


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC 9B14\n", "AMD EPYC 9B14"),
        (
            "processor: 0\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n",
            "Raspberry Pi 4 Model B Rev 1.4",
        ),
    ],
)
def test_the_name_is_that_of_the_systems_processor_file(tmp_path, monkeypatch, text, name):
    file = tmp_path / "cpuinfo"
    file.write_text(text)
    monkeypatch.setattr(cpu, "_CPU_FILE", file)
    assert cpu.processor_name() == name
    assert cpu.cpu_lines() == text.splitlines()


def test_without_the_file_it_is_the_architecture(tmp_path, monkeypatch):
    monkeypatch.setattr(cpu, "_CPU_FILE", tmp_path / "none")
    assert cpu.cpu_lines() == []
    assert cpu.processor_name() == (platform.processor() or platform.machine())
