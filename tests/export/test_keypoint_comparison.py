import pytest

pytest.importorskip("onnx")

from export.errors import AccuracyError
from export.keypoint_comparison import Variant, check_accuracy, check_recreated_faces, table


def variant(name, rmse_px):
    return Variant(name, size_bytes=2048, rmse_px=rmse_px, latency_ms=0.25)


def test_int8_may_lose_two_per_cent():
    check_accuracy(variant("fp32", 2.0), variant("int8", 2.039))
    with pytest.raises(AccuracyError, match=r"int8 RMSE 2\.050 px is 2\.5% above fp32's 2\.000 px"):
        check_accuracy(variant("fp32", 2.0), variant("int8", 2.05))
    with pytest.raises(AccuracyError):
        check_accuracy(variant("fp32", 2.0), variant("int8", float("nan")))


def test_recreated_faces_must_reproduce_the_recorded_error():
    check_recreated_faces(variant("fp32", 2.03), {"validation": {"rmse_px": 2.0}})
    with pytest.raises(AccuracyError, match="are not those of the run"):
        check_recreated_faces(variant("fp32", 2.05), {"validation": {"rmse_px": 2.0}})
    with pytest.raises(AccuracyError, match="recorded nan px"):
        check_recreated_faces(variant("fp32", 2.0), {})


def test_the_table_gives_size_error_and_latency():
    assert table([variant("fp32", 2.0)]).splitlines() == [
        "variant   size, KB  RMSE, px  latency, ms",
        "fp32             2     2.000        0.250",
    ]
