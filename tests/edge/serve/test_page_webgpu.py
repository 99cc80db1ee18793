"""The page's inference with WebGPU, in headless Chromium: a software adapter, or none."""

import json
import os
import shutil

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("playwright")

from edge.serve import client_config
from edge.serve.client_config import ORT, ORT_WEBGPU
from tests.edge.serve.serving import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium; apt-get install chromium"),
    pytest.mark.skipif(not ORT.is_file(), reason="onnxruntime-web is not installed; make page"),
]
ADAPTER = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]


@pytest.fixture
def open_page(detect, monkeypatch):
    """Open the page of a server that offers WebGPU; returns it, what it logs, and what it loads."""
    from playwright.sync_api import sync_playwright

    monkeypatch.setattr(client_config, "ORT_WEBGPU", ORT)  # any file that is there
    arguments = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    with sync_playwright() as play, serving(detect) as url:

        def call(*more, broken=False):
            browser = play.chromium.launch(executable_path=CHROMIUM, args=[*arguments, *more])
            page = browser.new_page()
            logged, loaded = [], []
            page.on("console", lambda message: logged.append(message.text))
            page.on("request", lambda sent: loaded.append(sent.url.rpartition("/")[2]))
            if broken:
                page.route("**/ort.webgpu.min.mjs", lambda route: route.abort())
            page.goto(url)
            return page, logged, loaded

        yield call


def find(page, sample, location):
    page.check(f"input[value={location}]")
    if location == "server":
        page.set_input_files("#files", [str(sample)])
    label = {"server": "found on the server", "browser": "found in this browser"}[location]
    page.locator(".facts", has_text=label).wait_for(timeout=120_000)
    with page.expect_download() as downloaded:
        page.click("#json")
    return json.loads(downloaded.value.path().read_text("utf-8"))["faces"]


def assert_same(faces, others):
    ((face,), (other,)) = faces, others
    assert other["box"] == pytest.approx(face["box"], abs=1)
    for name, point in face["keypoints"].items():
        assert other["keypoints"][name] == pytest.approx(point, abs=0.5), name


def test_without_a_graphics_card_webassembly_runs_the_networks(open_page, sample):
    page, logged, loaded = open_page()
    assert_same(find(page, sample, "server"), find(page, sample, "browser"))
    assert "ort.wasm.min.mjs" in loaded
    assert "ort.webgpu.min.mjs" not in loaded
    assert set(logged) <= {"No available adapters."}  # said by Chromium itself


def test_where_webgpu_fails_webassembly_runs_the_networks(open_page, sample):
    page, logged, loaded = open_page(*ADAPTER, broken=True)
    if not page.evaluate("async () => Boolean(await navigator.gpu?.requestAdapter())"):
        pytest.skip("this Chromium has no software adapter")
    assert_same(find(page, sample, "server"), find(page, sample, "browser"))
    assert loaded.index("ort.webgpu.min.mjs") < loaded.index("ort.wasm.min.mjs")
    assert any("WebAssembly does" in line for line in logged)


@pytest.mark.slow
@pytest.mark.skipif(not ORT_WEBGPU.is_file(), reason="no WebGPU runtime; make page-webgpu")
def test_a_graphics_card_that_is_emulated_does_not_hold_the_page_up(open_page, sample):
    page, logged, loaded = open_page(*ADAPTER)
    if not page.evaluate("async () => Boolean(await navigator.gpu?.requestAdapter())"):
        pytest.skip("this Chromium has no software adapter")
    assert_same(find(page, sample, "server"), find(page, sample, "browser"))
    if "ort.wasm.min.mjs" in loaded:  # else it was fast enough
        assert any("takes longer than" in line for line in logged)
