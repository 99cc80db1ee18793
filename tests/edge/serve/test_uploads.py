"""Validation of uploads: every invalid one gets its error, and the server keeps working."""

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
from starlette.exceptions import HTTPException

from edge.facekeypoints import FaceKeypoints
from edge.image import load_grey, load_image
from edge.serve.limits import Limits
from edge.serve.multipart import Upload
from edge.serve.uploads import decode_crops, decode_grey, decode_rgb, read_image_size
from tests.conftest import SAMPLE
from tests.edge.serve.serving import serving

PHOTO = SAMPLE.read_bytes()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>'
NOISE = np.random.default_rng(5).bytes(5000)


def saved(image, file_format):
    file = io.BytesIO()
    image.save(file, file_format)
    return file.getvalue()


def png(width, height):
    return saved(Image.new("L", (width, height), 99), "PNG")


def npy(**changes):
    """A .npy file of one crop whose header may declare something else."""
    file = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (1, 96, 96), **changes}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + bytes(96 * 96)


def bomb():
    """A PNG whose header declares 30,000×30,000 px, which would decode to 0.9 GB."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def text_bomb():
    """A PNG whose compressed comment expands to 100 MB."""
    image = saved(Image.new("L", (9, 9)), "PNG")
    data = b"zTXt-key\0\0" + zlib.compress(bytes(100_000_000))
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data
    return image[:33] + chunk + struct.pack(">I", zlib.crc32(b"zTXt" + data)) + image[33:]


LONG = saved(Image.new("L", (50_000, 1)), "PNG")
TRUNCATED_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' + PHOTO[:99]
)
INVALID_IMAGES = {
    "an empty body": (b"", "image/jpeg", 422),
    "random bytes": (NOISE, "image/jpeg", 415),
    "random bytes after a JPEG signature": (b"\xff\xd8\xff" + NOISE, "image/jpeg", 422),
    "random bytes after a PNG signature": (b"\x89PNG\r\n\x1a\n" + NOISE, "image/png", 422),
    "random bytes after a TIFF signature": (b"II*\0" + NOISE, "image/tiff", 422),
    "a truncated JPEG": (PHOTO[:9000], "image/jpeg", 422),
    "a JPEG truncated in its header": (PHOTO[:20], "image/jpeg", 422),
    "a truncated PNG": (saved(Image.open(SAMPLE), "PNG")[:9000], "image/png", 422),
    "a truncated GIF": (saved(Image.open(SAMPLE), "GIF")[:900], "image/gif", 422),
    "a decompression bomb": (bomb(), "image/png", 413),
    "a decompression bomb in a comment": (text_bomb(), "image/png", 422),
    "50,000×1 px": (LONG, "image/png", 413),
    "an SVG": (SVG, "image/svg+xml", 415),
    "an SVG with the content type of a JPEG": (SVG, "image/jpeg", 415),
    "a PDF": (b"%PDF-1.7\n" + NOISE, "application/octet-stream", 415),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n" + NOISE, "application/octet-stream", 415),
    "a photo as text": (PHOTO, "text/plain", 415),
    "a photo as JSON": (PHOTO, "application/json", 415),
    "a photo as a URL-encoded form": (PHOTO, "application/x-www-form-urlencoded", 415),
    "a photo as a form": (PHOTO, "multipart/form-data; boundary=x", 400),
    "a form without a boundary": (PHOTO, "multipart/form-data", 400),
    "a truncated form": (TRUNCATED_FORM, "multipart/form-data; boundary=x", 400),
    "an array": (npy(), "application/octet-stream", 415),
}
INVALID_CROPS = {
    "an empty body": (b"", 422, "picture: empty (0 bytes); expected an image"),
    "a photo": (PHOTO, 422, "picture: 512×512 px; expected 96×96"),
    "an array of another shape": (npy(shape=(1, 96, 95)), 422, "uint8 of shape (1, 96, 95)"),
    "an array of another dtype": (npy(descr="<f8"), 422, "received float64 of shape (1, 96, 96)"),
    "an array that declares more than it has": (
        npy(shape=(10**9, 96, 96)), 422, "data size does not match shape (1000000000, 96, 96)",
    ),
    "an array of objects": (npy(descr="|O"), 422, "received object of shape (1, 96, 96)"),
    "an array with a truncated header": (npy()[:30], 422, "picture: not a valid .npy file"),
    "an array in Fortran order of another shape": (
        npy(fortran_order=True, shape=(96, 96, 1)), 422, "received uint8 of shape (96, 96, 1)",
    ),
    "a photo in another format": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", 415,
        "an image in another format; expected one of BMP, GIF, JPEG, PNG, TIFF, WEBP",
    ),
    "an SVG": (SVG, 415, "picture: not an image; expected one of BMP, GIF, JPEG, PNG, TIFF, WEBP"),
}  # fmt: skip


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect) as url:
        yield url


@pytest.fixture
def keeps_working(url, tmp_path, monkeypatch):
    """After the test's request, a photo is processed and no temporary file is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    response = httpx.post(f"{url}/v1/keypoints", files={"pictures": PHOTO})
    assert len(response.json()[0]["faces"]) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("keeps_working")
@pytest.mark.parametrize("name", INVALID_IMAGES)
def test_an_invalid_image_gets_an_error(url, name):
    data, content_type, status = INVALID_IMAGES[name]
    headers = {"Content-Type": content_type}
    response = httpx.post(f"{url}/v1/keypoints", content=data, headers=headers)
    assert response.status_code == status, response.text
    assert response.json()["error"]


@pytest.mark.usefixtures("keeps_working")
@pytest.mark.parametrize("name", INVALID_CROPS)
def test_invalid_crops_get_an_error(url, name):
    data, status, message = INVALID_CROPS[name]
    response = httpx.post(f"{url}/v1/crops", content=data)
    assert response.status_code == status, response.text
    assert response.json()["error"].endswith(message)


@pytest.mark.usefixtures("keeps_working")
def test_a_form_with_a_thousand_parts_is_rejected(url):
    files = [("pictures", b"x")] * 1000
    assert httpx.post(f"{url}/v1/keypoints", files=files).status_code == 413
    fields = {f"field{i}": "x" for i in range(1000)}
    response = httpx.post(f"{url}/v1/keypoints", data=fields, files={"pictures": PHOTO})
    assert response.status_code == 413


@pytest.mark.usefixtures("keeps_working")
def test_a_part_with_endless_headers_is_rejected(url):
    body = b"--x\r\n" + b"a:b\r\n" * 100_000 + b"\r\nz\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = httpx.post(f"{url}/v1/keypoints", content=body, headers=headers)
    assert (response.status_code, "header" in response.json()["error"]) == (400, True)


@pytest.mark.usefixtures("keeps_working")
def test_the_error_names_the_invalid_image_of_several(url):
    files = [("pictures", ("good.jpg", PHOTO)), ("pictures", ("bad.jpg", PHOTO[:9000]))]
    response = httpx.post(f"{url}/v1/keypoints", files=files)
    assert response.status_code == 422
    assert response.json()["error"].startswith("bad.jpg: cannot be decoded (")


@pytest.mark.usefixtures("keeps_working")
def test_a_large_part_stays_in_memory(url, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a temporary file was opened")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    large = saved(Image.effect_noise((2000, 1500), 99), "PNG")
    assert len(large) > 2_000_000
    response = httpx.post(f"{url}/v1/keypoints", files={"pictures": large}, timeout=30)
    assert response.status_code == 200


def error_of(work, *arguments):
    with pytest.raises(HTTPException) as raised:
        work(*arguments)
    return raised.value.status_code, raised.value.detail


def test_the_size_of_an_image_is_read_from_its_header():
    assert read_image_size(Upload("a", PHOTO), Limits()) == (512, 512)
    assert read_image_size(Upload("a", LONG), Limits(side=50_000)) == (50_000, 1)


@pytest.mark.parametrize(("width", "height"), [(600, 501), (2001, 1)])
def test_an_image_beyond_the_limits_is_rejected(width, height):
    limits = Limits(pixels=300_000, side=2000)
    assert error_of(read_image_size, Upload("a", png(width, height)), limits) == (
        413,
        f"a: {width}×{height} px; expected at most 300,000 pixels and sides of at most 2,000 px; "
        "resize it first",
    )
    assert read_image_size(Upload("a", png(600, 500)), limits) == (600, 500)


@pytest.mark.parametrize("file_format", ["BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"])
def test_every_format_is_recognised_by_its_signature(file_format):
    upload = Upload("a", saved(Image.new("RGB", (40, 30)), file_format))
    assert read_image_size(upload, Limits()) == (40, 30)


def test_images_are_decoded_as_by_the_library():
    upload = Upload("a", PHOTO)
    assert np.array_equal(decode_rgb(upload), load_image(PHOTO))
    assert np.array_equal(decode_grey(upload, FaceKeypoints(precision="fp32")), load_grey(PHOTO))


def test_crops_of_several_files_are_stacked_in_order():
    file = io.BytesIO()
    arrays = np.random.default_rng(1).integers(0, 256, (2, 96, 96), np.uint8)
    np.save(file, arrays)
    uploads = [Upload("a", png(96, 96)), Upload("b", file.getvalue())]
    crops = decode_crops(uploads, 96, Limits(crops=3))
    assert np.array_equal(crops, np.concatenate([np.full((1, 96, 96), 99, np.uint8), arrays]))
    assert error_of(decode_crops, uploads, 96, Limits(crops=2)) == (
        413, "3 crops; expected at most 2",
    )  # fmt: skip


def test_too_many_files_are_rejected(detect):
    files = [("pictures", png(20, 20))]
    with serving(detect, Limits(images=3)) as url:
        assert httpx.post(f"{url}/v1/keypoints", files=files * 3).status_code == 200
        assert httpx.post(f"{url}/v1/keypoints", files=files * 4).status_code == 413
