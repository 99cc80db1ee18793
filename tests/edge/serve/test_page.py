"""The page, in headless Chromium: points where they belong, in either way of finding them."""

import base64
import json
import os
import shutil

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("playwright")

from PIL import Image, ImageOps

import edge
from edge.image import load_image
from edge.serve.client_config import ORT
from tests.edge.serve.serving import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium; apt-get install chromium")
needs_ort = pytest.mark.skipif(not ORT.is_file(), reason="onnxruntime-web is not set up; make page")

WAYS = [pytest.param("server"), pytest.param("browser", marks=needs_ort)]
SIDES = {"left": (230, 159, 0), "right": (86, 180, 233), "": (0, 158, 115)}


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect) as url:
        yield url


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from playwright.sync_api import sync_playwright

    film = tmp_path_factory.mktemp("camera") / "sample.mjpeg"
    from tests.conftest import SAMPLE

    film.write_bytes(SAMPLE.read_bytes() * 2)
    arguments = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    if hasattr(os, "getuid") and os.getuid() == 0:
        arguments.append("--no-sandbox")  # which Chromium cannot set up for root
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(params=[(390, 844), (1366, 900)], ids=["phone", "laptop"])
def page(request, browser, url):
    """The open page; at the end, nothing was complained of and nobody else was asked."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda one: asked.append(one.url))
    page.goto(url)
    yield page
    assert said == []
    assert {one for one in asked if not one.startswith((url, "blob:"))} == set()
    context.close()


def choose(page, way, *files):
    page.check(f"input[value={way}]")
    page.set_input_files("#files", [str(file) for file in files])
    words = {"server": "found on the server", "browser": "found in this browser"}
    page.locator(".facts", has_text=words[way]).first.wait_for(timeout=60_000)


def saved(page, button):
    with page.expect_download() as download:
        page.click(button)
    return download.value.path().read_text("utf-8")


def pixels(page, place=0):
    """A canvas of the page, uint8 (H, W, 3)."""
    address = page.evaluate(
        "place => document.querySelectorAll('canvas')[place].toDataURL('image/png')", place
    )
    return load_image(base64.b64decode(address.partition(",")[2]))


@pytest.mark.parametrize("way", WAYS)
def test_fifteen_points_are_drawn_where_they_belong(page, detect, sample, way):
    choose(page, way, sample)
    canvas = pixels(page)
    assert canvas.shape == (1024, 1024, 3)
    (face,) = detect(sample)
    for name, (x, y) in zip(edge.KEYPOINT_NAMES, face.keypoints, strict=True):
        words = name.split("_")
        colour = SIDES["left" if "left" in words else "right" if "right" in words else ""]
        row, column = (round(2 * (value + 0.5)) for value in (y, x))
        around = canvas[row - 1 : row + 1, column - 1 : column + 1].astype(int)
        assert np.abs(around - colour).max(axis=-1).min() < 30, name
    plain = np.asarray(Image.open(sample).resize((1024, 1024), Image.Resampling.BILINEAR))
    marked = np.abs(canvas.astype(int) - plain).max(axis=-1) > 90
    box = face.box * 2
    inside = np.zeros_like(marked)
    x, y, w, h = (int(value) for value in box)
    inside[y - 9 : y + h + 9, x - 9 : x + w + 9] = True
    assert marked[inside].sum() > 500
    assert marked[~inside].mean() < 0.002  # what another way to enlarge makes of sharp edges


@needs_ort
def test_both_ways_agree(page, sample, tmp_path):
    turned = tmp_path / "turned.jpg"  # stored on its side, and shown upright
    picture = ImageOps.expand(Image.open(sample), 150, "grey").rotate(30).resize((1400, 1300))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif, quality=95)
    near, twice = (tmp_path / f"{width}.png" for width in (336, 640))  # searched as it is, halved
    for path in (near, twice):
        Image.open(sample).resize((int(path.stem), int(path.stem))).save(path)
    choose(page, "server", sample, turned, near, twice)
    page.locator("article").nth(3).wait_for()
    here = json.loads(saved(page, "#json"))
    page.check("input[value=browser]")
    page.locator(".facts", has_text="in this browser").nth(3).wait_for(timeout=60_000)
    there = json.loads(saved(page, "#json"))
    assert [one["image"] for one in here] == ["640.png", "336.png", "turned.jpg", "astronaut.jpg"]
    for one, other in zip(here, there, strict=True):
        assert [one[key] for key in ("image", "width", "height")] == [
            other[key] for key in ("image", "width", "height")
        ]
        (face,), (same,) = one["faces"], other["faces"]
        assert list(face) == list(same)
        assert same["box"] == pytest.approx(face["box"], abs=1)
        assert same["score"] == pytest.approx(face["score"], abs=0.01)
        for name, point in face["keypoints"].items():
            assert same["keypoints"][name] == pytest.approx(point, abs=0.5), name
        for name, measured in face["measures"].items():
            near = pytest.approx(measured["value"], abs=measured["error"] / 2)
            assert same["measures"][name]["value"] == near, name


@needs_ort
def test_both_ways_agree_in_int8(browser, sample):
    with serving(edge.FaceKeypoints(precision="int8")) as url:
        page = browser.new_page()
        page.goto(url)
        choose(page, "server", sample)
        (face,) = json.loads(saved(page, "#json"))["faces"]
        page.check("input[value=browser]")
        page.locator(".facts", has_text="in this browser").wait_for(timeout=60_000)
        (same,) = json.loads(saved(page, "#json"))["faces"]
        page.close()
    for name, point in face["keypoints"].items():
        assert same["keypoints"][name] == pytest.approx(point, abs=0.5), name


@needs_ort
def test_no_picture_leaves_the_browser(page, sample):
    posted = []
    page.on("request", lambda one: posted.append(one.url) if one.method != "GET" else None)
    choose(page, "browser", sample)
    assert posted == []


@pytest.mark.parametrize("way", WAYS)
def test_the_tables_are_those_of_the_command_line(page, sample, way, tmp_path, run_python):
    choose(page, way, sample)
    shutil.copy(sample, tmp_path / "astronaut.jpg")
    for kind in ("json", "csv"):
        command = f"-m edge.run astronaut.jpg --precision fp32 --no-picture --{kind} -"
        expected = run_python(*command.split()).stdout.decode()
        got = saved(page, f"#{kind}")
        if kind == "json":
            got, expected = (json.loads(text) for text in (got, expected))
            assert list(got) == list(expected)
            assert list(got["faces"][0]["measures"]) == list(expected["faces"][0]["measures"])
            assert got["image"] == expected["image"]
        else:
            assert got.splitlines()[0] == expected.splitlines()[0]
            first, second = (text.splitlines()[1].split(",") for text in (got, expected))
            assert first[0] == second[0]
            assert [*map(float, first[1:])] == pytest.approx([*map(float, second[1:])], abs=0.5)


def test_it_works_by_keyboard_and_fits_the_width(page, sample):
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


def test_a_dropped_photo_is_looked_at(page, sample):
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


def test_the_camera_of_the_device_is_followed(page):
    page.click("#camera")
    page.locator(".facts", has_text="1 face").wait_for(timeout=30_000)
    assert page.get_attribute("#camera", "aria-pressed") == "true"
    page.click("#camera")
    assert page.get_attribute("#camera", "aria-pressed") == "false"


def test_error_circles_can_be_left_out(page, sample):
    choose(page, "server", sample)
    before = pixels(page, 1)
    page.uncheck("#circles")
    assert (pixels(page, 1) != before).any()
    assert pixels(page).shape == (1024, 1024, 3)


def test_what_is_no_picture_is_said(page, tmp_path):
    (tmp_path / "notes.jpg").write_text("no picture")
    page.set_input_files("#files", str(tmp_path / "notes.jpg"))
    page.locator(".bad", has_text="notes.jpg: this browser cannot show it").wait_for()


def test_the_page_for_programs_shows_each_route(page, url):
    page.goto(f"{url}/docs")
    page.get_by_role("heading", name="POST /v1/keypoints").wait_for()
    assert page.get_by_text("too many requests wait").count() == 3


def test_without_onnxruntime_web_the_page_says_so(browser, detect, monkeypatch, sample):
    monkeypatch.setattr("edge.serve.client_config.ORT", ORT.with_name("none"))
    with serving(detect) as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("onnxruntime-web is not set up; run: make page").wait_for()
        assert page.is_disabled("#in-browser")
        choose(page, "server", sample)
        page.close()


def test_a_stream_is_shown_on_the_page(browser, detect, film):
    from edge.serve.live_stream import Live

    with serving(detect, live=Live(detect, str(film), 2)) as url:
        page = browser.new_page()
        page.goto(url)
        page.locator("#stream").wait_for()
        for _ in range(100):
            if page.evaluate("document.getElementById('stream').naturalWidth") == 512:
                break
            page.wait_for_timeout(50)
        assert page.evaluate("document.getElementById('stream').naturalWidth") == 512
        page.close()


def test_with_a_token_the_browser_asks_for_it_and_the_page_works(browser, detect, sample):
    with serving(detect, token="sesame") as url:
        credentials = {"username": "anyone", "password": "sesame"}
        context = browser.new_context(http_credentials=credentials)
        page = context.new_page()
        page.goto(url)
        choose(page, "server", sample)
        context.close()
