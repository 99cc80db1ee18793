import pytest

pytest.importorskip("jsonschema")

from benchmarks.reporting.schema import validate


def test_a_violation_is_described_with_its_path(results):
    assert validate(results) == ""
    del results["single_stream"][0]["p50_ms"]
    assert validate(results) == "$.single_stream[0]: 'p50_ms' is a required property"
