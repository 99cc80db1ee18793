import base64

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx

from edge.serve.auth import _host_name, _token_of, _tokens_match
from tests.edge.serve.serving import serving

PATHS = (
    "/", "/docs", "/openapi.json", "/v1/model", "/metrics", "/page/page.js", "/models/face.onnx",
    "/v1/live", "/none",
)  # fmt: skip


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect, token="sesame") as url:
        yield url


@pytest.fixture(scope="module")
def open_url(detect):
    with serving(detect) as url:
        yield url


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_every_route_is_rejected(url, path):
    response = httpx.get(url + path)
    assert response.status_code == 401
    assert response.json()["error"].startswith("a token is required")


def test_browsers_are_asked_for_a_password(url, sample):
    response = httpx.post(f"{url}/v1/keypoints", content=sample.read_bytes())
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Basic realm="edge", charset="UTF-8"'


def test_health_needs_no_token(url):
    assert httpx.get(f"{url}/health").json() == {"status": "ok"}


def test_the_token_is_accepted_as_a_password_and_as_a_bearer_token(url):
    assert httpx.get(f"{url}/v1/model", auth=("me", "sesame")).status_code == 200
    bearer = {"Authorization": "Bearer sesame"}
    assert httpx.get(f"{url}/v1/model", headers=bearer).status_code == 200


@pytest.mark.parametrize("token", ["sesam", "sesame2", "Sesame", "", "sésame"])
def test_a_wrong_token_is_rejected(url, token):
    assert httpx.get(f"{url}/v1/model", auth=("me", token)).status_code == 401


@pytest.mark.parametrize(
    "header", ["Basic !", "Basic 4pyTw6nDqQ==", "Basic", "Bearer", "x" * 99, "Digest sesame"]
)
def test_a_malformed_authorization_header_is_rejected(url, header):
    headers = {"Authorization": header}
    assert httpx.get(f"{url}/v1/model", headers=headers).status_code == 401


def test_a_token_may_contain_any_character(detect):
    with serving(detect, token="sésame") as url:
        bearer = {"Authorization": "Bearer sésame".encode()}
        assert httpx.get(f"{url}/v1/model", headers=bearer).status_code == 200
        assert httpx.get(f"{url}/v1/model", auth=("me", "sésame")).status_code == 200
        assert httpx.get(f"{url}/v1/model", auth=("me", "sesame")).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost:80", 200),
     ("LOCALHOST", 200), ("[::1]:1", 200)],
)  # fmt: skip
def test_a_local_server_accepts_only_loopback_host_names(open_url, host, status):
    assert httpx.get(f"{open_url}/v1/model", headers={"Host": host}).status_code == status


def test_a_server_on_the_network_accepts_any_host_name(detect):
    with serving(detect, local=False) as url:
        headers = {"Host": "pi.local"}
        assert httpx.get(f"{url}/v1/model", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/page/page.js", "/v1/model", "/none"])
def test_every_response_forbids_content_from_other_origins(open_url, path):
    headers = httpx.get(open_url + path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ")
    assert "http" not in policy
    assert "unsafe-inline" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_rejections_carry_the_security_headers_too(url):
    assert httpx.get(f"{url}/").headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("header", "name"),
    [("pi.local:8000", "pi.local"), ("PI.local", "pi.local"), ("[::1]:8000", "::1"), ("", "")],
)
def test_the_host_name_is_without_port_and_brackets(header, name):
    assert _host_name(header) == name


def test_the_token_is_the_password_whatever_the_user():
    credentials = base64.b64encode(b"any user:se:same")
    assert _token_of({b"authorization": b"Basic " + credentials}) == b"se:same"
    assert _token_of({b"authorization": b"bearer  sesame "}) == b"sesame"
    assert _token_of({}) == b""


def test_tokens_match_only_if_equal():
    assert _tokens_match("é".encode(), "é")
    assert not _tokens_match(b"e", "é")
