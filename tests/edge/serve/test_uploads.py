"""Bad uploads: every one gets its answer, and the server goes on."""

import io
import struct
import tempfile
import zlib

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx
from PIL import Image

from tests.conftest import SAMPLE
from tests.edge.serve.serving import serving

PHOTO = SAMPLE.read_bytes()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>'
NOISE = np.random.default_rng(5).bytes(5000)


def saved(image, kind):
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def array(**changes):
    file = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (1, 96, 96), **changes}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + bytes(96 * 96)


def bomb():
    """A PNG of 30,000×30,000 px in a few bytes of its head; its pixels would take 0.9 GB."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def text_bomb():
    """A PNG whose comment would take 100 MB."""
    picture = saved(Image.new("L", (9, 9)), "PNG")
    data = b"zTXt-key\0\0" + zlib.compress(bytes(100_000_000))
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data
    return picture[:33] + chunk + struct.pack(">I", zlib.crc32(b"zTXt" + data)) + picture[33:]


LONG = saved(Image.new("L", (50_000, 1)), "PNG")
BAD_PICTURES = {
    "nothing": (b"", "image/jpeg", 422),
    "random bytes": (NOISE, "image/jpeg", 415),
    "random bytes after a JPEG's first": (b"\xff\xd8\xff" + NOISE, "image/jpeg", 422),
    "random bytes after a PNG's first": (b"\x89PNG\r\n\x1a\n" + NOISE, "image/png", 422),
    "random bytes after a TIFF's first": (b"II*\0" + NOISE, "image/tiff", 422),
    "a JPEG cut off": (PHOTO[:9000], "image/jpeg", 422),
    "a JPEG cut off in its head": (PHOTO[:20], "image/jpeg", 422),
    "a PNG cut off": (saved(Image.open(SAMPLE), "PNG")[:9000], "image/png", 422),
    "a GIF cut off": (saved(Image.open(SAMPLE), "GIF")[:900], "image/gif", 422),
    "a decompression bomb": (bomb(), "image/png", 413),
    "a bomb in a comment": (text_bomb(), "image/png", 422),
    "50,000×1 px": (LONG, "image/png", 413),
    "an SVG": (SVG, "image/svg+xml", 415),
    "an SVG that says it is a JPEG": (SVG, "image/jpeg", 415),
    "a PDF": (b"%PDF-1.7\n" + NOISE, "application/octet-stream", 415),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n" + NOISE, "application/octet-stream", 415),
    "a photo as text": (PHOTO, "text/plain", 415),
    "a photo as JSON": (PHOTO, "application/json", 415),
    "a photo as a plain form": (PHOTO, "application/x-www-form-urlencoded", 415),
    "a photo as a form": (PHOTO, "multipart/form-data; boundary=x", 400),
    "a form without a boundary": (PHOTO, "multipart/form-data", 400),
    "a form that is cut off": (
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' + PHOTO[:99],
        "multipart/form-data; boundary=x",
        400,
    ),
    "an array": (array(), "application/octet-stream", 415),
}
BAD_CROPS = {
    "nothing": (b"", 422),
    "a photo": (PHOTO, 422),
    "an array of another shape": (array(shape=(1, 96, 95)), 422),
    "an array of another type": (array(descr="<f8"), 422),
    "an array that promises too much": (array(shape=(10**12, 96, 96)), 422),
    "an array of objects": (array(descr="|O"), 422),
    "an array with a broken head": (array()[:30], 422),
    "an array by columns": (array(fortran_order=True), 422),
    "a form": (SVG, 415),
}  # fmt: skip


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect) as url:
        yield url


@pytest.fixture(autouse=True)
def goes_on(url, tmp_path, monkeypatch):
    """Whatever a test sends, a photo is answered afterwards, and no file is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    answer = httpx.post(f"{url}/v1/keypoints", files={"pictures": PHOTO})
    assert len(answer.json()[0]["faces"]) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_bad_picture_gets_its_answer(url, name):
    data, kind, status = BAD_PICTURES[name]
    answer = httpx.post(f"{url}/v1/keypoints", content=data, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]


@pytest.mark.parametrize("name", BAD_CROPS)
def test_bad_crops_get_their_answer(url, name):
    data, status = BAD_CROPS[name]
    answer = httpx.post(f"{url}/v1/crops", content=data)
    assert answer.status_code == status, answer.text


def test_a_thousand_tiny_parts_are_too_many(url):
    files = [("pictures", b"x")] * 1000
    assert httpx.post(f"{url}/v1/keypoints", files=files).status_code == 413
    fields = {f"field{i}": "x" for i in range(1000)}
    answer = httpx.post(f"{url}/v1/keypoints", data=fields, files={"pictures": PHOTO})
    assert answer.status_code == 413


def test_a_part_without_end_of_headers_is_not_gone_through(url):
    body = b"--x\r\n" + b"a:b\r\n" * 100_000 + b"\r\nz\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = httpx.post(f"{url}/v1/keypoints", content=body, headers=headers)
    assert (answer.status_code, "header" in answer.json()["error"]) == (400, True)


def test_a_form_without_files_is_told_so(url):
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = httpx.post(f"{url}/v1/keypoints", content=body, headers=headers)
    assert (answer.status_code, "no file" in answer.json()["error"]) == (422, True)


def test_one_bad_picture_of_several_is_named(url):
    files = [("pictures", ("good.jpg", PHOTO)), ("pictures", ("bad.jpg", PHOTO[:9000]))]
    answer = httpx.post(f"{url}/v1/keypoints", files=files)
    assert answer.status_code == 422
    assert "bad.jpg" in answer.json()["error"]


def test_a_large_part_is_kept_in_memory_and_not_in_a_file(url, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a file was opened")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    large = saved(Image.effect_noise((2000, 1500), 99), "PNG")
    assert len(large) > 2_000_000
    answer = httpx.post(f"{url}/v1/keypoints", files={"pictures": large}, timeout=30)
    assert answer.status_code == 200
