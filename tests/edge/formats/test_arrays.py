import numpy as np
import pytest
from PIL import Image

import edge
from edge.errors import ImageError
from edge.formats.arrays import as_pixels
from edge.image import load_grey, load_image, to_grey


class Tensor:
    """What a tensor of another library shows of itself."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Convertible:
    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


class OnDevice:
    def __dlpack__(self, **options):
        raise BufferError("cannot export from this device")

    def __dlpack_device__(self):
        return (2, 0)


@pytest.fixture
def colours(rng):
    return rng.integers(0, 256, size=(20, 30, 3)).astype(np.uint8)


def test_every_form_is_the_same_picture(colours):
    clear = np.dstack([colours, np.full((20, 30), 255, np.uint8)])
    planes = np.ascontiguousarray(colours.transpose(2, 0, 1))
    for source in (
        clear, Tensor(colours), Tensor(planes), Convertible(colours), Tensor(clear),
        colours.astype(np.float64) / 255, colours.astype(np.float32) / np.float32(255),
        Tensor(planes.astype(np.float32) / np.float32(255)),
    ):  # fmt: skip
        np.testing.assert_array_equal(load_image(source), colours)
        np.testing.assert_array_equal(load_grey(source), to_grey(colours))


def test_bgr_is_reversed_without_a_copy(colours):
    bgr = np.ascontiguousarray(colours[..., ::-1])
    assert np.shares_memory(as_pixels(bgr, "bgr"), bgr)
    np.testing.assert_array_equal(load_image(bgr, "bgr"), colours)
    np.testing.assert_array_equal(load_grey(bgr, "bgr"), to_grey(colours))
    bgra = np.dstack([bgr, np.full((20, 30), 255, np.uint8)])
    np.testing.assert_array_equal(load_image(bgra, "bgr"), colours)
    with pytest.raises(ValueError, match="order must be one of rgb, bgr"):
        load_image(bgr, "grb")


def test_transparent_arrays_are_the_same_as_transparent_images(rng):
    clear = rng.integers(0, 256, (20, 30, 4)).astype(np.uint8)
    expected = load_image(Image.fromarray(clear))
    np.testing.assert_array_equal(load_image(clear), expected)
    np.testing.assert_array_equal(load_image(clear[..., [2, 1, 0, 3]], "bgr"), expected)


def test_a_grey_plane_may_have_an_axis_of_one(colours):
    plane = colours[..., :1]
    assert np.shares_memory(load_grey(plane), colours)
    np.testing.assert_array_equal(load_grey(plane), colours[..., 0])
    np.testing.assert_array_equal(load_grey(plane / 255), colours[..., 0])


def test_parts_and_read_only_arrays_are_not_copied(colours):
    colours.flags.writeable = False
    for view in (colours, colours[2:15, 3:20], colours[::2, ::-1]):
        assert np.shares_memory(as_pixels(view), colours)
        np.testing.assert_array_equal(load_grey(view), to_grey(np.ascontiguousarray(view)))
    assert load_image(colours).flags.writeable


@pytest.mark.parametrize("value", [1.5, -0.1, 255.0, np.nan, np.inf])
def test_floats_beyond_0_to_1_are_refused(value):
    image = np.full((4, 4, 3), 0.5)
    image[1, 2, 0] = value
    with pytest.raises(ImageError, match="expected floats from 0 to 1, received"):
        load_image(image)


def test_a_tensor_of_another_device_is_refused():
    with pytest.raises(ImageError, match=r"OnDevice .*cannot export.*tensor.detach\(\).cpu\(\)"):
        load_image(OnDevice())


def test_a_tensor_of_pytorch_is_taken(colours):
    torch = pytest.importorskip("torch")
    planes = torch.from_numpy(colours).permute(2, 0, 1)
    np.testing.assert_array_equal(load_image(planes.float() / 255), colours)
    with pytest.raises(ImageError, match="detach"):
        load_image((planes.float() / 255).requires_grad_())


def test_all_forms_give_the_same_faces(sample):
    detect = edge.FaceKeypoints(precision="fp32")
    image = load_image(sample)
    (face,) = detect(image)
    bgr = np.ascontiguousarray(image[..., ::-1])
    several = detect.batch([image, Tensor(image), load_image(bgr, "bgr")])
    several += detect.batch([bgr, Tensor(bgr)], order="bgr")
    several += [detect(bgr, order="bgr")]
    tracked = edge.Tracker(detect, smoothing=None)(bgr, order="bgr")
    (expected,) = edge.Tracker(detect, smoothing=None)(image)
    for other in (*detect(image / 255), *(face for faces in several for face in faces)):
        np.testing.assert_array_equal(other.keypoints, face.keypoints)
    np.testing.assert_array_equal(tracked[0].keypoints, expected.keypoints)
    with sample.open("rb") as file:
        np.testing.assert_array_equal(detect(file)[0].keypoints, detect(sample)[0].keypoints)
