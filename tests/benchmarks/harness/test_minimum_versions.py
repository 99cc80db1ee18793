import pytest

from benchmarks.harness.minimum_versions import PYTHONS, minimum_versions, read_minimum


def test_lower_bounds_are_read_from_the_project():
    text = '    "numpy>=1.23.5",\n    "onnxruntime>=1.17,!=1.21.0",\n    "pillow>=10.1",\n'
    assert read_minimum(text) == {"numpy": "1.23.5", "onnxruntime": "1.17", "pillow": "10.1"}
    with pytest.raises(ValueError, match="expected numpy>=…"):
        read_minimum("dependencies = []")


def test_no_python_has_a_bound_below_the_projects():
    first = minimum_versions(PYTHONS[0])
    for python in PYTHONS[1:]:
        for name, version in minimum_versions(python).items():
            assert [*map(int, version.split("."))] >= [*map(int, first[name].split("."))]
