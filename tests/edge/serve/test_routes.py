import asyncio
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
from edge.records import crop_records, to_record
from edge.serve.inference import ImageResult
from edge.serve.live.stream import LiveStream
from edge.serve.routes import _server_timing
from tests.edge.serve.serving import serving
from tests.made_models import write_keypoint_model

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


@pytest.fixture
def grey_crop(sample):
    return np.asarray(Image.open(sample).convert("L").crop((177, 60, 273, 156)))


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def test_a_raw_image_gives_the_record_of_the_command_line(url, photo, expected):
    response = httpx.post(f"{url}/v1/keypoints", content=photo, headers=JPEG)
    assert response.status_code == 200
    assert response.json() == expected
    stages = [part.split(";")[0] for part in response.headers["server-timing"].split(", ")]
    assert stages == ["decode", "search", "look"]


def test_a_form_gives_a_list_with_the_names_of_the_files(url, photo, expected):
    without_faces = png(np.full((60, 80, 3), 128, np.uint8))
    files = [("pictures", ("one.jpg", photo)), ("pictures", ("two.png", without_faces))]
    first, second = httpx.post(f"{url}/v1/keypoints", files=files).json()
    assert first == {**expected, "image": "one.jpg"}
    assert second == {"image": "two.png", "width": 80, "height": 60, "faces": []}


def test_a_form_with_one_file_gives_a_list_too(url, photo, expected):
    files = {"pictures": ("one.jpg", photo)}
    assert httpx.post(f"{url}/v1/keypoints", files=files).json() == [
        {**expected, "image": "one.jpg"}
    ]


def test_the_annotated_image_is_that_of_draw(url, photo, detect, sample):
    response = httpx.post(f"{url}/v1/keypoints?annotated=1", content=photo, headers=JPEG)
    assert response.headers["content-type"] == "image/jpeg"
    drawn = edge.draw(load_image(sample), detect(sample), show_error=True)
    difference = np.abs(load_image(response.content).astype(int) - drawn)
    assert difference.mean() < 3  # of JPEG compression
    marks = np.abs(load_image(sample).astype(int) - load_image(response.content)).max(axis=2)
    assert marks[80:170, 180:270].max() > 150  # on the face


def test_states_quality_and_visibility_are_those_of_the_command_line_where_they_are_asked_for(
    url, photo, expected, run_python, tmp_path
):
    (tmp_path / "picture").write_bytes(photo)
    options = "--precision fp32 --no-picture --analyze --quality --visible --json -"
    done = run_python("-m", "edge.run", "picture", *options.split())
    (printed,) = json.loads(done.stdout)["faces"]
    for query, names in (
        ("analyze", ["state"]),
        ("quality", ["quality"]),
        ("visible", ["visible"]),
        ("", []),
    ):
        address = f"{url}/v1/keypoints?{query}=1" if query else f"{url}/v1/keypoints"
        response = httpx.post(address, content=photo, headers=JPEG)
        (face,) = response.json()["faces"]
        assert face == {**expected["faces"][0], **{name: printed[name] for name in names}}
        assert ("measure" in response.headers["server-timing"]) == bool(names)


def test_what_was_not_asked_for_is_not_measured(detect, photo, expected, monkeypatch):
    monkeypatch.setattr("edge.serve.assessing.Analyzer", None)
    monkeypatch.setattr("edge.analysis.assessment.quality", None)
    monkeypatch.setattr("edge.serve.assessing.Visibility", None)
    with serving(detect) as url:
        assert httpx.post(f"{url}/v1/keypoints", content=photo, headers=JPEG).json() == expected


def test_without_68_points_the_mouth_is_left_out(tmp_path, photo):
    pytest.importorskip("onnx")
    path = write_keypoint_model(tmp_path / "plain.onnx", points68=False)
    with serving(edge.FaceKeypoints(model=path, precision="fp32")) as url:
        response = httpx.post(f"{url}/v1/keypoints?analyze=1", content=photo, headers=JPEG)
    (face,) = response.json()["faces"]
    assert "eye_opening_right" in face["state"]
    assert "lip_opening" not in face["state"]


def test_only_one_image_can_be_annotated_per_request(url, photo):
    files = [("pictures", photo)] * 2
    response = httpx.post(f"{url}/v1/keypoints?annotated=1", files=files)
    assert response.status_code == 400
    assert response.json() == {
        "error": "2 images; annotated=1 supports one image per request",
    }


def test_crops_are_accepted_as_an_array_and_give_numbered_records(url, detect, grey_crop):
    crops = np.stack([grey_crop, grey_crop[:, ::-1]])
    file = io.BytesIO()
    np.save(file, crops)
    response = httpx.post(f"{url}/v1/crops", content=file.getvalue())
    expected = crop_records("picture", 96, detect.crops(crops), detect.keypoint_names)
    assert response.json() == expected
    assert [record["frame"] for record in expected] == [0, 1]


def test_an_array_in_fortran_order_is_the_same_array(url, grey_crop):
    crops = np.stack([grey_crop, grey_crop[::-1], grey_crop.T])
    answers = []
    for array in (crops, np.asfortranarray(crops)):
        file = io.BytesIO()
        np.save(file, array)
        assert (b"'fortran_order': True" in file.getvalue()) == (array is not crops)
        answers.append(httpx.post(f"{url}/v1/crops", content=file.getvalue()).json())
    assert len(answers[0]) == 3
    assert answers[0] == answers[1]


def test_crops_are_accepted_as_image_files(url, detect, grey_crop):
    response = httpx.post(f"{url}/v1/crops", files={"pictures": ("a.png", png(grey_crop))})
    prediction = detect.crops(grey_crop[None])
    assert response.json() == crop_records("a.png", 96, prediction, detect.keypoint_names)


def test_the_network_files_are_those_in_use(url, detect):
    keypoints = httpx.get(f"{url}/models/keypoints.onnx").content
    assert keypoints == detect.model.path.read_bytes()
    detector = httpx.get(f"{url}/models/face.onnx").content
    assert detector == detect.face_detector.path.read_bytes()


def test_an_unknown_network_is_not_found(url):
    response = httpx.get(f"{url}/models/other.onnx")
    assert response.status_code == 404
    assert response.json() == {"error": "no network 'other'; expected keypoints or face"}


def test_a_detector_without_a_file_is_not_found(detect):
    with serving(edge.FaceKeypoints(detector="none", precision="fp32")) as url:
        assert httpx.get(f"{url}/models/face.onnx").status_code == 404


def test_without_a_source_there_is_no_live_stream(url):
    for path in ("/v1/live", "/v1/live/faces"):
        response = httpx.get(url + path)
        assert response.status_code == 404
        assert "--camera or --video" in response.json()["error"]


def test_health_reports_ok(url):
    response = httpx.get(f"{url}/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_pages_are_revalidated_at_each_visit(url):
    for path, title in (("/", "edge-keypoints"), ("/docs", "edge-keypoints: API")):
        response = httpx.get(url + path)
        assert f"<title>{title}</title>" in response.text
        assert response.headers["cache-control"] == "no-cache"


def test_server_timing_has_the_longest_duration_of_each_stage():
    results = [
        ImageResult({}, None, {"decode": 2.04, "search": 1.0}),
        ImageResult({}, None, {"decode": 1.0, "search": 3.0, "look": 5.06}),
    ]
    assert _server_timing(results) == "decode;dur=2.0, search;dur=3.0, look;dur=5.1"


@pytest.fixture(scope="module")
def url68(model68):
    with serving(edge.FaceKeypoints(model=model68, precision="fp32")) as url:
        yield url


def test_the_68_points_are_answered_only_to_those_who_ask(url68, detect68, photo, sample):
    (expected,) = to_record("picture", 512, 512, detect68(sample), edge.KEYPOINT_NAMES)["faces"]
    (plain,) = httpx.post(f"{url68}/v1/keypoints", content=photo, headers=JPEG).json()["faces"]
    assert "points68" not in plain
    asked = f"{url68}/v1/keypoints?points68=1"
    (full,) = httpx.post(asked, content=photo, headers=JPEG).json()["faces"]
    assert full == expected
    assert full["keypoints"]["nose_tip"]["error90"] > full["keypoints"]["nose_tip"]["error"]
    drawn = httpx.post(f"{asked}&annotated=1", content=photo, headers=JPEG).content
    without = httpx.post(f"{url68}/v1/keypoints?annotated=1", content=photo, headers=JPEG).content
    difference = np.abs(load_image(drawn).astype(int) - load_image(without))
    assert (difference.max(axis=-1) > 90).sum() > 100


def test_crops_have_68_points_where_asked_for(url68, grey_crop):
    file = png(grey_crop)
    headers = {"Content-Type": "image/png"}
    (plain,) = httpx.post(f"{url68}/v1/crops", content=file, headers=headers).json()
    (full,) = httpx.post(f"{url68}/v1/crops?points68=1", content=file, headers=headers).json()
    assert "points68" not in plain["faces"][0]
    assert len(full["faces"][0]["points68"]) == 68


def test_concurrent_requests_with_and_without_68_points_share_batches(url68, photo):
    async def post_all():
        async with httpx.AsyncClient() as client:
            addresses = [f"{url68}/v1/keypoints{'?points68=1' * (i % 2)}" for i in range(12)]
            posts = [client.post(a, content=photo, headers=JPEG, timeout=60) for a in addresses]
            return await asyncio.gather(*posts)

    faces = [response.json()["faces"][0] for response in asyncio.run(post_all())]
    assert ["points68" in face for face in faces] == [False, True] * 6


def test_a_server_started_with_68_points_answers_them_always(detect68, photo):
    with serving(detect68) as url:
        (face,) = httpx.post(f"{url}/v1/keypoints", content=photo, headers=JPEG).json()["faces"]
    assert len(face["points68"]) == 68


def test_68_points_of_a_model_without_them_are_a_client_error(tmp_path, photo):
    pytest.importorskip("onnx")
    path = write_keypoint_model(tmp_path / "plain.onnx", points68=False)
    with serving(edge.FaceKeypoints(model=path, precision="fp32")) as url:
        for route in ("keypoints", "crops"):
            address = f"{url}/v1/{route}?points68=1"
            response = httpx.post(address, content=photo, headers=JPEG)
            assert response.status_code == 422
            assert response.json() == {"error": "the server's keypoint model predicts no 68 points"}


def test_every_address_that_answers_get_answers_head_alike(url):
    paths = ["/", "/docs", "/openapi.json", "/health", "/metrics", "/v1/model", "/v1/live",
             "/v1/live/faces", "/models/keypoints.onnx", "/models/face.onnx", "/models/none.onnx",
             "/page/page.js", "/nowhere"]  # fmt: skip
    for path in paths:
        get, head = httpx.get(url + path), httpx.head(url + path)
        assert head.status_code == get.status_code, path
        assert head.headers.get("content-type") == get.headers.get("content-type"), path
        assert head.content == b""
    assert httpx.head(f"{url}/v1/keypoints").status_code == 405


def test_head_of_the_live_stream_ends_and_watches_nothing(detect, film):
    live = LiveStream(detect, str(film), max_viewers=1)
    with serving(detect, live=live) as url:
        for _ in range(3):
            head = httpx.head(f"{url}/v1/live", timeout=10)
            assert head.status_code == 200
            assert head.headers["content-type"].startswith("multipart/x-mixed-replace")
        assert live.viewer_count == live.processed_frames == 0
        assert "HEAD" not in httpx.get(f"{url}/openapi.json").text
