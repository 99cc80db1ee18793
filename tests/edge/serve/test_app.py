"""The application as a whole: its error responses and the order of its middleware."""

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx

from tests.edge.serve.serving import serving, wait_for_metric


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect) as url:
        yield url


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/none", 404, "Not Found"),
        ("GET", "/page/none.js", 404, "Not Found"),
        ("GET", "/v1/keypoints", 405, "Method Not Allowed"),
        ("GET", "/v1/live", 404, "no live stream; start the server with --camera or --video"),
    ],
)
def test_errors_have_a_json_body(url, method, path, status, error):
    response = httpx.request(method, url + path)
    assert (response.status_code, response.json()) == (status, {"error": error})


def test_an_invalid_parameter_is_named(url):
    response = httpx.post(f"{url}/v1/keypoints?annotated=perhaps", content=b"x")
    assert response.status_code == 422
    assert list(response.json()) == ["error"]
    assert response.json()["error"].startswith("annotated: ")


def test_rejected_requests_are_counted_and_use_no_place_in_the_queue(detect):
    with serving(detect, token="sesame") as url:
        assert httpx.post(f"{url}/v1/keypoints", content=b"x").status_code == 401
        auth = {"Authorization": "Bearer sesame"}
        lines = httpx.get(f"{url}/metrics", headers=auth).text.splitlines()
    assert 'edge_requests_total{route="/v1/keypoints",status="401"} 1.0' in lines
    assert "edge_queue 0.0" in lines


def test_gauges_of_queue_and_viewers_start_at_zero(url):
    wait_for_metric(url, "edge_queue 0.0")
    wait_for_metric(url, "edge_viewers 0.0")
