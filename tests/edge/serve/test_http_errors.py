import json

import pytest

pytest.importorskip("starlette")

from starlette.exceptions import HTTPException

from edge.serve.http_errors import error_body, error_start, service_unavailable


def test_an_unavailable_service_says_when_to_retry():
    error = service_unavailable("the queue is full")
    assert error.status_code == 503
    assert error.detail == "the queue is full; retry after 1 s"
    assert error.headers == {"Retry-After": "1"}


def test_an_error_starts_with_status_and_headers_and_closes_the_connection():
    assert error_start(HTTPException(401, "no", {"WWW-Authenticate": "Basic"})) == {
        "type": "http.response.start",
        "status": 401,
        "headers": [
            (b"content-type", b"application/json"),
            (b"connection", b"close"),
            (b"www-authenticate", b"Basic"),
        ],
    }


def test_the_body_is_json_in_utf8():
    message = error_body(HTTPException(413, "40×40 px"), more_body=True)
    assert (message["type"], message["more_body"]) == ("http.response.body", True)
    assert json.loads(message["body"].decode("utf-8")) == {"error": "40×40 px"}
