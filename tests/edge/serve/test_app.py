import io
import json

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx
from PIL import Image

import edge
from edge.image import load_image
from edge.records import to_record
from tests.edge.serve.serving import serving

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect) as url:
        yield url


@pytest.fixture
def photo(sample):
    return sample.read_bytes()


@pytest.fixture
def expected(detect, sample):
    return to_record("picture", 512, 512, detect(sample), detect.keypoint_names)


def test_a_raw_picture_gives_the_record_of_the_command_line(url, photo, expected):
    answer = httpx.post(f"{url}/v1/keypoints", content=photo, headers=JPEG)
    assert answer.status_code == 200
    assert answer.json() == expected
    stages = [part.split(";")[0] for part in answer.headers["server-timing"].split(", ")]
    assert stages == ["decode", "search", "look"]


def test_a_form_gives_a_list_under_the_names_that_were_sent(url, photo, expected):
    empty = io.BytesIO()
    Image.new("RGB", (80, 60), "grey").save(empty, "PNG")
    files = [("pictures", ("one.jpg", photo)), ("pictures", ("two.png", empty.getvalue()))]
    first, second = httpx.post(f"{url}/v1/keypoints", files=files).json()
    assert first == {**expected, "image": "one.jpg"}
    assert second == {"image": "two.png", "width": 80, "height": 60, "faces": []}


def test_the_annotated_picture_is_the_one_that_is_drawn(url, photo, detect, sample):
    answer = httpx.post(f"{url}/v1/keypoints?annotated=1", content=photo, headers=JPEG)
    assert answer.headers["content-type"] == "image/jpeg"
    drawn = edge.draw(load_image(sample), detect(sample), show_error=True)
    away = np.abs(load_image(answer.content).astype(int) - drawn)
    assert away.mean() < 3  # what JPEG changes
    plain = np.abs(load_image(sample).astype(int) - load_image(answer.content)).max(axis=2)
    assert plain[80:170, 180:270].max() > 150  # points are on the face


def test_several_pictures_cannot_be_annotated_at_once(url, photo):
    files = [("pictures", photo)] * 2
    answer = httpx.post(f"{url}/v1/keypoints?annotated=1", files=files)
    assert (answer.status_code, "one at a time" in answer.json()["error"]) == (400, True)


def test_crops_come_as_arrays_and_as_pictures(url, detect, sample):
    grey = np.asarray(Image.open(sample).convert("L").crop((177, 60, 273, 156)))
    array, picture = io.BytesIO(), io.BytesIO()
    np.save(array, np.stack([grey, grey[:, ::-1]]))
    Image.fromarray(grey).save(picture, "PNG")
    points, error, _ = detect.crops(grey[None])
    raw = httpx.post(f"{url}/v1/crops", content=array.getvalue())
    form = httpx.post(f"{url}/v1/crops", files={"pictures": picture.getvalue()})
    assert [record["frame"] for record in raw.json()] == [0, 1]
    for record in (raw.json()[0], form.json()[0]):
        (face,) = record["faces"]
        assert face["box"] == [0, 0, 96, 96]
        values = [list(point.values()) for point in face["keypoints"].values()]
        assert np.array(values) == pytest.approx(np.c_[points[0], error[0]], abs=0.02)


def test_the_model_tells_where_it_comes_from(url, detect):
    about = httpx.get(f"{url}/v1/model").json()
    assert about["keypoints"]["sha256_keras"] == detect.model.metadata["sha256_keras"]
    assert about["settings"]["keypoint_names"] == list(edge.KEYPOINT_NAMES)
    assert about["limits"]["pictures"] == 16
    assert about["live"] is False


def test_the_networks_are_the_files_that_run_here(url, detect):
    got = httpx.get(f"{url}/models/keypoints.onnx").content
    assert got == detect.model.path.read_bytes()
    assert httpx.get(f"{url}/models/face.onnx").status_code == 200
    assert httpx.get(f"{url}/models/other.onnx").status_code == 404


def test_what_was_done_is_counted(detect, photo):
    with serving(detect) as url:
        for _ in range(2):
            httpx.post(f"{url}/v1/keypoints", content=photo, headers=JPEG)
        httpx.post(f"{url}/v1/keypoints", content=b"no picture", headers=JPEG)
        httpx.get(f"{url}/whatever")
        lines = httpx.get(f"{url}/metrics").text.splitlines()
    for line in (
        'edge_requests_total{route="/v1/keypoints",status="200"} 2.0',
        'edge_requests_total{route="/v1/keypoints",status="415"} 1.0',
        'edge_requests_total{route="other",status="404"} 1.0',
        'edge_request_seconds_count{route="/v1/keypoints"} 3.0',
        "edge_faces_total 2.0",
        "edge_pictures_total 2.0",
        "edge_queue 0.0",
    ):
        assert line in lines


def test_without_the_token_only_health_answers(detect, photo):
    with serving(detect, token="sesame") as url:
        for path in ("/", "/docs", "/openapi.json", "/v1/model", "/metrics", "/page/page.js",
                     "/models/face.onnx", "/v1/live", "/none"):  # fmt: skip
            assert httpx.get(url + path).status_code == 401, path
        posted = httpx.post(f"{url}/v1/keypoints", content=photo, headers=JPEG)
        assert posted.status_code == 401
        assert posted.headers["www-authenticate"].startswith("Basic")
        assert httpx.get(f"{url}/health").json() == {"status": "ok"}
        for wrong in ("sesam", "sesame2", "Sesame", "", "sésame"):
            assert httpx.get(f"{url}/v1/model", auth=("me", wrong)).status_code == 401
        assert httpx.get(f"{url}/v1/model", auth=("me", "sesame")).status_code == 200
        bearer = {"Authorization": "Bearer sesame"}
        assert httpx.get(f"{url}/v1/model", headers=bearer).status_code == 200


def test_a_token_may_hold_any_letter(detect):
    with serving(detect, token="sésame") as url:
        bearer = {"Authorization": "Bearer sésame".encode()}
        assert httpx.get(f"{url}/v1/model", headers=bearer).status_code == 200
        assert httpx.get(f"{url}/v1/model", auth=("me", "sésame")).status_code == 200
        assert httpx.get(f"{url}/v1/model", auth=("me", "sesame")).status_code == 401


@pytest.mark.parametrize("broken", ["Basic !", "Basic 4pyTw6nDqQ==", "Basic", "Bearer", "x" * 99])
def test_a_broken_authorization_is_none(detect, broken):
    with serving(detect, token="sesame") as url:
        headers = {"Authorization": broken}
        assert httpx.get(f"{url}/v1/model", headers=headers).status_code == 401


def test_a_page_from_elsewhere_cannot_reach_a_server_of_this_computer(url, detect):
    for host, status in (("evil.example", 421), ("localhost:80", 200), ("[::1]:1", 200)):
        assert httpx.get(f"{url}/v1/model", headers={"Host": host}).status_code == status
    with serving(detect, local=False) as other:
        headers = {"Host": "pi.local"}
        assert httpx.get(f"{other}/v1/model", headers=headers).status_code == 200


def test_every_answer_tells_browsers_to_load_nothing_from_elsewhere(url):
    for path in ("/", "/docs", "/page/page.js", "/v1/model", "/none"):
        policy = httpx.get(url + path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert "unsafe-inline" not in policy


def test_errors_are_json_whatever_they_are(url):
    answers = [
        httpx.get(f"{url}/none"),
        httpx.get(f"{url}/v1/keypoints"),
        httpx.post(f"{url}/v1/keypoints?annotated=perhaps", content=b"x"),
        httpx.get(f"{url}/v1/live"),
        httpx.get(f"{url}/v1/live/faces"),
    ]
    assert [answer.status_code for answer in answers] == [404, 405, 422, 404, 404]
    for answer in answers:
        assert list(json.loads(answer.text)) == ["error"]
