"""The page in headless Chromium, with inference on the server and in the browser."""

import base64
import json
import os
import shutil

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("playwright")

from PIL import Image, ImageDraw, ImageOps

import edge
from edge.image import load_image
from edge.run.tables import TableContent, csv_columns
from edge.serve.client_config import ORT
from tests.edge.serve.serving import serving
from tests.made_models import ERROR90, REPEATED, write_keypoint_model

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium; apt-get install chromium")
needs_ort = pytest.mark.skipif(
    not ORT.is_file(), reason="onnxruntime-web is not installed; make page"
)

# Decoding, scaling and rounding differ a little between Pillow and the browser.
BOX_PX, SCORE = 1, 0.02
LOCATIONS = [pytest.param("server"), pytest.param("browser", marks=needs_ort)]
SIDES = {"left": (230, 159, 0), "right": (86, 180, 233), "": (0, 158, 115)}


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect) as url:
        yield url


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from playwright.sync_api import sync_playwright

    camera_film = tmp_path_factory.mktemp("camera") / "sample.mjpeg"
    from tests.conftest import SAMPLE

    camera_film.write_bytes(SAMPLE.read_bytes() * 2)
    arguments = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera_film}",
    ]
    if hasattr(os, "getuid") and os.getuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's sandbox does not work as root
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(params=[(390, 844), (1366, 900)], ids=["phone", "laptop"])
def page(request, browser, url):
    """The open page; it must log nothing, and send requests to no other server."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    logged = []
    requested = []
    page.on("console", lambda message: logged.append(message.text))
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.on("request", lambda sent: requested.append(sent.url))
    page.goto(url)
    yield page
    # Chromium says so where the runtime for WebGPU is installed (make page-webgpu).
    assert set(logged) <= {"No available adapters."}
    assert [address for address in requested if not address.startswith((url, "blob:"))] == []
    context.close()


def choose(page, location, *files):
    page.check(f"input[value={location}]")
    page.set_input_files("#files", [str(file) for file in files])
    labels = {"server": "found on the server", "browser": "found in this browser"}
    page.locator(".facts", has_text=labels[location]).first.wait_for(timeout=60_000)


def download(page, button):
    with page.expect_download() as downloaded:
        page.click(button)
    return downloaded.value.path().read_text("utf-8")


def pixels(page, index=0):
    """A canvas of the page, uint8 (H, W, 3)."""
    data_url = page.evaluate(
        "index => document.querySelectorAll('canvas')[index].toDataURL('image/png')", index
    )
    return load_image(base64.b64decode(data_url.partition(",")[2]))


@pytest.mark.parametrize("location", LOCATIONS)
def test_all_keypoints_are_drawn_in_place(page, detect, sample, location):
    choose(page, location, sample)
    canvas = pixels(page)
    assert canvas.shape == (1024, 1024, 3)
    (face,) = detect(sample)
    for name, (x, y) in zip(edge.KEYPOINT_NAMES, face.keypoints, strict=True):
        words = name.split("_")
        colour = SIDES["left" if "left" in words else "right" if "right" in words else ""]
        row, column = (round(2 * (value + 0.5)) for value in (y, x))
        neighbours = canvas[row - 1 : row + 1, column - 1 : column + 1].astype(int)
        assert np.abs(neighbours - colour).max(axis=-1).min() < 30, name
    original = np.asarray(Image.open(sample).resize((1024, 1024), Image.Resampling.BILINEAR))
    marked = np.abs(canvas.astype(int) - original).max(axis=-1) > 90
    box = face.box * 2
    inside = np.zeros_like(marked)
    x, y, w, h = (int(value) for value in box)
    inside[y - 9 : y + h + 9, x - 9 : x + w + 9] = True
    assert marked[inside].sum() > 500
    assert marked[~inside].mean() < 0.002  # sharp edges differ by the upscaling filter


@needs_ort
def test_server_and_browser_agree(page, sample, tmp_path):
    turned = tmp_path / "turned.jpg"  # stored rotated, with the EXIF orientation that undoes it
    image = ImageOps.expand(Image.open(sample), 150, "grey").rotate(30).resize((1400, 1300))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif, quality=95)
    near_size, double_size = (
        tmp_path / f"{width}.png" for width in (336, 640)
    )  # detected at full and at half size
    for path in (near_size, double_size):
        Image.open(sample).resize((int(path.stem), int(path.stem))).save(path)
    choose(page, "server", sample, turned, near_size, double_size)
    page.locator("article").nth(3).wait_for()
    from_server = json.loads(download(page, "#json"))
    page.check("input[value=browser]")
    page.locator(".facts", has_text="in this browser").nth(3).wait_for(timeout=60_000)
    from_browser = json.loads(download(page, "#json"))
    assert [record["image"] for record in from_server] == [
        "640.png",
        "336.png",
        "turned.jpg",
        "astronaut.jpg",
    ]
    for expected, record in zip(from_server, from_browser, strict=True):
        for key in ("image", "width", "height"):
            assert record[key] == expected[key]
        (face,), (same,) = expected["faces"], record["faces"]
        assert list(face) == list(same)
        assert same["box"] == pytest.approx(face["box"], abs=BOX_PX)
        assert same["score"] == pytest.approx(face["score"], abs=SCORE)
        for name, point in face["keypoints"].items():
            assert same["keypoints"][name] == pytest.approx(point, abs=0.5), name
        for name, measured in face["measures"].items():
            value = pytest.approx(measured["value"], abs=measured["error"] / 2)
            assert same["measures"][name]["value"] == value, name


@needs_ort
def test_server_and_browser_agree_in_int8(browser, sample):
    with serving(edge.FaceKeypoints(precision="int8")) as url:
        page = browser.new_page()
        page.goto(url)
        choose(page, "server", sample)
        (face,) = json.loads(download(page, "#json"))["faces"]
        page.check("input[value=browser]")
        page.locator(".facts", has_text="in this browser").wait_for(timeout=60_000)
        (same,) = json.loads(download(page, "#json"))["faces"]
        page.close()
    for name, point in face["keypoints"].items():
        assert same["keypoints"][name] == pytest.approx(point, abs=0.5), name


@pytest.fixture
def page68(browser, model68):
    """The open page of a server whose model predicts the 68 points."""
    with serving(edge.FaceKeypoints(model=model68, precision="fp32")) as url:
        page = browser.new_page()
        page.goto(url)
        page.locator("#points68").wait_for()
        yield page
        page.close()


def wait_until_idle(page):
    """Wait until all photos are processed again; a change of settings shows a status at once."""
    from playwright.sync_api import expect

    expect(page.locator("#status")).to_have_text("", timeout=60_000)


@pytest.mark.parametrize("location", LOCATIONS)
def test_the_68_points_are_shown_and_downloaded_when_they_are_chosen(page68, location, sample):
    choose(page68, location, sample)
    (plain,) = json.loads(download(page68, "#json"))["faces"]
    before = pixels(page68, 1)
    page68.check("#points68")
    wait_until_idle(page68)
    (face,) = json.loads(download(page68, "#json"))["faces"]
    assert "points68" not in plain
    assert list(face) == ["id", "box", "score", "keypoints", "points68", "measures"]
    for point, k in zip(face["points68"], REPEATED, strict=True):
        keypoint = face["keypoints"][edge.KEYPOINT_NAMES[k]]
        assert point == pytest.approx([keypoint["x"], keypoint["y"]], abs=0.011)
    for name, factor in zip(edge.KEYPOINT_NAMES, ERROR90, strict=True):
        keypoint = face["keypoints"][name]
        assert keypoint["error90"] == pytest.approx(keypoint["error"] * factor, abs=0.03)
    assert (np.abs(pixels(page68, 1).astype(int) - before).max(axis=-1) > 90).sum() > 1000
    header, row = download(page68, "#csv").splitlines()
    assert header == ",".join(csv_columns(edge.KEYPOINT_NAMES, TableContent(points68=True)))
    assert [float(x) for x in row.split(",")[53:55]] == face["points68"][0]
    page68.uncheck("#points68")
    wait_until_idle(page68)
    assert "points68" not in download(page68, "#json")


@needs_ort
def test_server_and_browser_agree_on_the_68_points(page68, sample, tmp_path):
    Image.open(sample).rotate(-20).save(tmp_path / "rotated.png")
    page68.check("#points68")
    choose(page68, "server", tmp_path / "rotated.png")
    (expected,) = json.loads(download(page68, "#json"))["faces"]
    page68.check("input[value=browser]")
    page68.locator(".facts", has_text="in this browser").wait_for(timeout=60_000)
    (face,) = json.loads(download(page68, "#json"))["faces"]
    np.testing.assert_allclose(face["points68"], expected["points68"], atol=0.5)


def test_without_a_model_of_68_points_there_is_no_choice_of_them(browser, tmp_path, sample):
    pytest.importorskip("onnx")
    path = write_keypoint_model(tmp_path / "plain.onnx", points68=False)
    with serving(edge.FaceKeypoints(model=path, precision="fp32")) as url:
        page = browser.new_page()
        page.goto(url)
        choose(page, "server", sample)
        assert page.locator("#points68").is_hidden()
        page.close()


@needs_ort
def test_inference_in_the_browser_sends_no_image(page, sample):
    posted = []
    page.on("request", lambda sent: posted.append(sent.url) if sent.method != "GET" else None)
    choose(page, "browser", sample)
    assert posted == []


@pytest.mark.parametrize("location", LOCATIONS)
def test_downloads_have_the_format_of_the_command_line(
    page, sample, location, tmp_path, run_python
):
    choose(page, location, sample)
    shutil.copy(sample, tmp_path / "astronaut.jpg")
    for suffix in ("json", "csv"):
        command = f"-m edge.run astronaut.jpg --precision fp32 --no-picture --{suffix} -"
        expected = run_python(*command.split()).stdout.decode()
        got = download(page, f"#{suffix}")
        if suffix == "json":
            got, expected = (json.loads(text) for text in (got, expected))
            assert list(got) == list(expected)
            assert list(got["faces"][0]["measures"]) == list(expected["faces"][0]["measures"])
            assert got["image"] == expected["image"]
        else:
            assert got.splitlines()[0] == expected.splitlines()[0]
            first, second = (text.splitlines()[1].split(",") for text in (got, expected))
            assert (first[0], first[-1]) == (second[0], second[-1])
            got, expected = ([*map(float, row[1:-1])] for row in (first, second))
            box = slice(3, 7)
            assert got[box] == pytest.approx(expected[box], abs=BOX_PX)
            del got[box], expected[box]
            assert got == pytest.approx(expected, abs=0.5)


def test_it_is_usable_by_keyboard_and_fits_the_width(page, sample):
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "files"
    choose(page, "server", sample)
    page.locator("#json").focus()
    with page.expect_download():
        page.keyboard.press("Enter")
    page.locator("#clear").focus()
    page.keyboard.press("Space")
    assert page.locator("article").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_dropped_photo_is_processed(page, sample):
    data = page.evaluate_handle(
        """values => {
            const transfer = new DataTransfer();
            const bytes = new Uint8Array(values);
            transfer.items.add(new File([bytes], "dropped.jpg", { type: "image/jpeg" }));
            return transfer;
        }""",
        list(sample.read_bytes()),
    )
    page.dispatch_event("main", "drop", {"dataTransfer": data})
    page.get_by_role("heading", name="dropped.jpg").wait_for()
    page.locator(".facts", has_text="1 face").wait_for()


def test_camera_frames_are_processed_until_the_camera_is_stopped(page):
    page.click("#camera")
    page.locator(".facts", has_text="1 face").wait_for(timeout=30_000)
    assert page.get_attribute("#camera", "aria-pressed") == "true"
    page.click("#camera")
    assert page.get_attribute("#camera", "aria-pressed") == "false"


def test_error_circles_can_be_hidden(page, sample):
    choose(page, "server", sample)
    before = pixels(page, 1)
    page.uncheck("#circles")
    assert (pixels(page, 1) != before).any()
    assert pixels(page).shape == (1024, 1024, 3)


def test_a_file_that_is_no_image_is_reported(page, tmp_path):
    (tmp_path / "notes.jpg").write_text("no image")
    page.set_input_files("#files", str(tmp_path / "notes.jpg"))
    page.locator(".bad", has_text="notes.jpg: this browser cannot show it").wait_for()


def test_the_api_page_shows_each_route(page, url):
    page.goto(f"{url}/docs")
    page.get_by_role("heading", name="POST /v1/keypoints").wait_for()
    assert page.get_by_text("the server is overloaded").count() == 4


def test_without_onnxruntime_web_the_page_shows_how_to_install_it(
    browser, detect, monkeypatch, sample
):
    monkeypatch.setattr("edge.serve.client_config.ORT", ORT.with_name("none"))
    with serving(detect) as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("onnxruntime-web is not installed; run: make page").wait_for()
        assert page.is_disabled("#in-browser")
        choose(page, "server", sample)
        page.close()


def rows_of(table):
    """The texts of a table's rows: heading and value."""
    # In one step: the page replaces the tables of a stream at any time.
    texts = "table => [...table.rows].map(row => [...row.cells].map(cell => cell.innerText))"
    return {heading: value for heading, *_, value in table.evaluate(texts)}


def test_eyes_mouth_pose_and_quality_are_shown_and_downloaded_when_they_are_chosen(
    page, sample, run_python, tmp_path
):
    choose(page, "server", sample)
    assert page.locator(".states").count() == 0
    page.check("#states")
    wait_until_idle(page)
    rows = rows_of(page.locator(".states"))
    assert rows["right eye"] == "0.38 ± 0.01"
    assert rows["faces the camera"] == "100 %"
    assert float(rows["shot quality"]) == pytest.approx(0.85, abs=0.1)
    assert page.locator(".states .bar").count() == len(rows)
    shutil.copy(sample, tmp_path / "astronaut.jpg")
    options = "--precision fp32 --no-picture --analyze --quality --json - --csv faces.csv"
    done = run_python("-m", "edge.run", "astronaut.jpg", *options.split())
    (face,) = json.loads(download(page, "#json"))["faces"]
    (expected,) = json.loads(done.stdout)["faces"]
    assert (list(face["state"]), list(face["quality"])) == (
        list(expected["state"]),
        list(expected["quality"]),
    )
    assert face["state"]["lip_opening"] == pytest.approx(expected["state"]["lip_opening"], abs=0.01)
    assert "points68" not in face
    header, row = download(page, "#csv").splitlines()
    expected_header, _ = (tmp_path / "faces.csv").read_text("utf-8").splitlines()
    assert header == ",".join(c for c in expected_header.split(",") if not c.startswith("p68_"))
    assert len(row.split(",")) == len(header.split(","))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hidden_points_are_hollow_where_they_are_asked_for(page, detect, sample, tmp_path):
    image = Image.open(sample).convert("RGB")
    (face,) = detect(sample)
    points = dict(zip(edge.KEYPOINT_NAMES, face.keypoints.tolist(), strict=True))
    (x, y), (_, low) = points["nose_tip"], points["mouth_center_bottom_lip"]
    reach = 0.33 * float(face.box[2])
    mask = [(x - reach, y - 4), (x, y - 12), (x + reach, y - 4), (x + reach / 2, low + reach / 2),
        (x - reach / 2, low + reach / 2)]  # fmt: skip
    ImageDraw.Draw(image).polygon(mask, (150, 190, 215))
    image.save(tmp_path / "masked.png")
    page.uncheck("#circles")
    choose(page, "server", tmp_path / "masked.png")
    assert "hidden" not in page.locator("details table").text_content()
    solid = pixels(page)
    page.check("#visible")
    wait_until_idle(page)
    labels = page.locator("details table th").all_text_contents()
    hidden = {label.removesuffix(", hidden") for label in labels if label.endswith(", hidden")}
    assert {"mouth center top lip", "mouth center bottom lip"} <= hidden
    assert not any("eye" in name for name in hidden)
    hollow = pixels(page)
    (shown,) = json.loads(download(page, "#json"))["faces"]
    for name, probability in shown["visible"].items():
        row, column = (round(2 * (shown["keypoints"][name][axis] + 0.5)) for axis in "yx")
        is_same = np.abs(hollow[row, column].astype(int) - solid[row, column]).max() < 60
        assert is_same == (probability >= 0.5), name
    header, row = download(page, "#csv").splitlines()
    assert header.endswith(",mouth_center_bottom_lip_visible")
    assert float(row.rpartition(",")[2]) == shown["visible"]["mouth_center_bottom_lip"]


@needs_ort
def test_in_the_browser_they_cannot_be_chosen(page, sample):
    page.check("#states")
    choose(page, "browser", sample)
    assert page.is_disabled("#states")
    assert page.is_disabled("#visible")
    assert page.locator(".states").count() == 0


def test_of_a_camera_there_is_a_timeline(page):
    page.check("#states")
    page.click("#camera")
    page.locator(".track .states").wait_for(timeout=30_000)
    assert page.locator(".track canvas").count() == 3
    first = page.locator("canvas").count() - 3
    for _ in range(300):
        colours = np.unique(pixels(page, first).reshape(-1, 3), axis=0)
        if len(colours) >= 3:  # the ground, the line of closed eyes, and those measured
            break
        page.wait_for_timeout(100)
    assert len(colours) >= 3
    page.click("#camera")
    assert page.locator(".track h3").all_inner_texts() == ["Face 0"]


def test_the_faces_of_the_stream_are_measured_while_it_is_chosen(browser, detect, film):
    from edge.serve.live.stream import LiveStream

    live = LiveStream(detect, str(film), 3)
    with serving(detect, live=live) as url:
        page = browser.new_page()
        page.goto(url)
        page.locator("#stream").wait_for()
        assert page.locator(".track").count() == 0
        page.check("#live-states")
        page.locator(".track .states").wait_for(timeout=30_000)
        assert rows_of(page.locator(".states"))["right eye"].startswith("0.3")
        assert live.viewer_count == 2
        page.uncheck("#live-states")
        assert page.locator(".track").count() == 0
        page.close()


def test_the_live_stream_is_shown(browser, detect, film):
    from edge.serve.live.stream import LiveStream

    with serving(detect, live=LiveStream(detect, str(film), 2)) as url:
        page = browser.new_page()
        page.goto(url)
        page.locator("#stream").wait_for()
        for _ in range(100):
            if page.evaluate("document.getElementById('stream').naturalWidth") == 512:
                break
            page.wait_for_timeout(50)
        assert page.evaluate("document.getElementById('stream').naturalWidth") == 512
        page.close()


def test_the_page_works_with_a_token(browser, detect, sample):
    with serving(detect, token="sesame") as url:
        credentials = {"username": "anyone", "password": "sesame"}
        context = browser.new_context(http_credentials=credentials)
        page = context.new_page()
        page.goto(url)
        choose(page, "server", sample)
        context.close()
