import pytest

pytest.importorskip("prometheus_client")

from edge.serve.metrics import Metrics


def test_all_metrics_start_at_zero_in_a_private_registry():
    Metrics().images.inc(5)
    lines = Metrics().render().decode().splitlines()
    for name in ("edge_pictures_total", "edge_faces_total", "edge_batch_pictures_count"):
        assert f"{name} 0.0" in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert [name for name in names if not name.endswith("_created")] == [
        "edge_requests_total",
        "edge_request_seconds",
        "edge_pictures_total",
        "edge_faces_total",
        "edge_batch_pictures",
    ]


def test_observations_are_rendered_with_their_labels():
    metrics = Metrics()
    metrics.requests.labels("/v1/model", "200").inc()
    metrics.latency.labels("/v1/model").observe(0.03)
    metrics.batch_size.observe(3)
    lines = metrics.render().decode().splitlines()
    for line in (
        'edge_requests_total{route="/v1/model",status="200"} 1.0',
        'edge_request_seconds_bucket{le="0.02",route="/v1/model"} 0.0',
        'edge_request_seconds_bucket{le="0.05",route="/v1/model"} 1.0',
        'edge_batch_pictures_bucket{le="2.0"} 0.0',
        'edge_batch_pictures_bucket{le="4.0"} 1.0',
    ):
        assert line in lines


def test_a_gauge_is_read_at_each_scrape():
    metrics, values = Metrics(), iter([3, 7])
    metrics.add_gauge("edge_queue", "Requests.", lambda: next(values))
    assert "edge_queue 3.0" in metrics.render().decode().splitlines()
    assert "edge_queue 7.0" in metrics.render().decode().splitlines()
