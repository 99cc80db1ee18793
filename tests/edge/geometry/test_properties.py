"""What must hold whatever comes: geometry there and back, and a decoder that never falls over."""

import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.crop import cut
from edge.errors import ImageError
from edge.geometry.affine import compose, crop_matrix, invert, rotation_deg, scale_of, transform
from edge.geometry.face_frame import MEAN_FACE, box_of_square, square_of_box
from edge.geometry.keypoint_frame import upright_matrix
from edge.geometry.similarity import fit_similarity, similarity
from edge.image import MAX_PIXELS, load_image, to_grey
from edge.resize import resize

# The same examples every time: a test that fails must fail again.
settings.register_profile("edge", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("edge")

coordinate = st.floats(-20_000, 20_000)
scale = st.floats(0.01, 100)
angle = st.floats(-180, 180)
similarities = st.builds(
    similarity, scale, angle, st.tuples(coordinate, coordinate), st.tuples(coordinate, coordinate)
)
points = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=30).map(np.array)


@given(similarities, points)
def test_there_and_back_is_where_one_was(matrix, some):
    np.testing.assert_allclose(transform(invert(matrix), transform(matrix, some)), some, atol=1e-3)


@given(coordinate, coordinate, st.floats(1, 20_000), st.integers(1, 512), points)
def test_picture_to_crop_and_back_is_where_one_was(x, y, side, size, some):
    matrix = crop_matrix((x, y, side, side), size)
    np.testing.assert_allclose(transform(invert(matrix), transform(matrix, some)), some, atol=1e-3)


@given(similarities, similarities, points)
def test_one_after_the_other_is_both_at_once(first, second, some):
    both = transform(compose(second, first), some)
    apart = np.abs(both - transform(second, transform(first, some)))
    assert apart.max() <= 1e-9 * max(1.0, np.abs(both).max(), 1e6 * scale_of(second))


@given(st.floats(0.05, 50), st.floats(-179, 179), coordinate, coordinate)
def test_a_face_is_found_where_it_was_put(size, turn, x, y):
    matrix = similarity(size, turn, (47.5, 47.5), (x, y))
    found = fit_similarity(MEAN_FACE, transform(matrix, MEAN_FACE))
    assert scale_of(found) == pytest.approx(size, rel=1e-6)
    assert abs((rotation_deg(found) - turn + 180) % 360 - 180) < 1e-4
    upright = upright_matrix(transform(matrix, MEAN_FACE), 96)
    np.testing.assert_allclose(
        transform(upright, transform(matrix, MEAN_FACE)), MEAN_FACE, atol=1e-3
    )


@given(coordinate, coordinate, st.floats(1, 20_000))
def test_box_and_square_undo_each_other(x, y, side):
    square = np.array([x, y, side, side])
    np.testing.assert_allclose(square_of_box(box_of_square(square)), square, atol=1e-6 * 20_000)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
def test_an_even_picture_stays_even_at_any_size(height, width, new_height, new_width):
    grey = np.full((height, width), 93, np.uint8)
    small = resize(grey, (new_height, new_width))
    assert small.shape == (new_height, new_width)
    assert (small == 93).all()


@given(
    st.integers(1, 200), st.integers(1, 200), st.floats(-300, 500), st.floats(-300, 500),
    st.floats(0.02, 30), angle,
)  # fmt: skip
def test_a_crop_from_anywhere_holds_nothing_but_the_picture(height, width, x, y, zoom, turn):
    grey = np.full((height, width), 140, np.uint8)
    crop = cut(grey, similarity(zoom, turn, (x, y), (15.5, 15.5)), 32)
    assert crop.shape == (32, 32)
    assert (np.abs(crop.astype(int) - 140) <= 1).all()


def encode(kind, mode="RGB", size=(40, 30), **options):
    pixels = np.random.default_rng(5).integers(0, 256, size=(*size[::-1], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return file.getvalue()


REAL = {
    "jpeg": encode("JPEG"), "progressive": encode("JPEG", progressive=True), "png": encode("PNG"),
    "palette": encode("PNG", "P"), "gif": encode("GIF"), "webp": encode("WEBP"),
    "tiff": encode("TIFF"), "bmp": encode("BMP"), "cmyk": encode("JPEG", "CMYK"),
}  # fmt: skip


def decodes_or_says_why(data):
    try:
        image, said = load_image(data), ""
    except ImageError as error:
        image, said = None, str(error)
    if image is None:
        assert len(said.splitlines()) == 1
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert 0 < image.shape[0] * image.shape[1] <= MAX_PIXELS
    assert to_grey(image).shape == image.shape[:2]


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_picture_or_one_clear_line(data):
    decodes_or_says_why(data)


flips = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 7)), max_size=12)


@given(st.sampled_from(sorted(REAL)), flips)
def test_a_real_file_with_flipped_bits_is_a_picture_or_one_clear_line(kind, flipped):
    data = bytearray(REAL[kind])
    for place, bit in flipped:
        data[min(int(place * len(data)), len(data) - 1)] ^= 1 << bit
    decodes_or_says_why(bytes(data))


@given(st.sampled_from(sorted(REAL)), st.floats(0, 1))
def test_a_real_file_cut_off_is_a_picture_or_one_clear_line(kind, share):
    decodes_or_says_why(REAL[kind][: int(share * len(REAL[kind]))])


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (3, 7)])
def test_pictures_of_odd_sizes_are_read_whole(size):
    image = load_image(encode("PNG", size=size))
    assert image.shape == (size[1], size[0], 3)


def test_a_picture_over_the_limit_is_refused_before_it_is_decoded():
    file = io.BytesIO()
    Image.new("1", (20_000, MAX_PIXELS // 20_000 + 1)).save(file, "PNG")
    with pytest.raises(ImageError, match="at most"):
        load_image(file.getvalue())
