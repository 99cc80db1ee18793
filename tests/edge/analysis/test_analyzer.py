import io
import pickle

import pytest
from PIL import ExifTags, Image

import edge
from edge.errors import ImageError


@pytest.fixture(scope="module")
def analyze():
    return edge.Analyzer()


def test_a_portrait_faces_the_camera_with_open_eyes(sample, analyze):
    detect = edge.FaceKeypoints(precision="fp32", points68=True)
    faces = detect(sample)
    [state] = analyze(sample, faces)
    assert state.facing > 0.5
    assert min(state.eye_opening_right.value, state.eye_opening_left.value) > 0.2
    assert max(state.closed_right, state.closed_left) < 0.05
    assert 0 < state.lip_opening.value < 0.4  # a smile
    assert 20 < state.distance_cm.value < 200
    assert state.perclos is None


def test_the_mouth_needs_the_68_points(sample, detect, analyze):
    [state] = analyze(sample, detect(sample))
    assert state.lip_opening is None
    assert state.eye_opening_left is not None


def test_the_focal_length_scales_the_distance(sample, detect):
    faces = detect(sample)
    near, far = (edge.Analyzer(focal_px=f)(sample, faces)[0].distance_cm for f in (500.0, 1000.0))
    assert far.value == pytest.approx(2 * near.value, rel=0.05)
    assert far.error / far.value < 0.1  # the focal length is known


def test_no_faces_have_no_states(analyze, sample):
    assert analyze(sample, []) == []


def test_it_is_opened_again_in_another_process(analyze, sample, detect):
    copy = pickle.loads(pickle.dumps(edge.Analyzer(focal_px=700.0)))
    faces = detect(sample)
    assert copy(sample, faces) == edge.Analyzer(focal_px=700.0)(sample, faces)


def test_settings_and_images_are_checked(analyze, sample, detect):
    with pytest.raises(ValueError, match="focal_px must be above 0, received 0"):
        edge.Analyzer(focal_px=0)
    with pytest.raises(ImageError):
        analyze(b"no image", detect(sample))


def test_the_focal_length_says_where_it_is_from(detect68, sample):
    image = Image.open(sample)
    image.load()
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 50
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95, exif=exif)
    photo = file.getvalue()
    faces = detect68(photo)
    (assumed,) = edge.Analyzer()(edge.load_image(photo), faces)
    (read,) = edge.Analyzer()(photo, faces)
    (given,) = edge.Analyzer(focal_px=900.0)(photo, faces)
    assert [state.focal_source for state in (assumed, read, given)] == ["assumed", "EXIF", "given"]
    assert assumed.focal_px.value == pytest.approx(768)
    assert read.focal_px.value == pytest.approx(50 / 43.2666 * 512 * 2**0.5, rel=1e-4)
    assert (given.focal_px.value, given.focal_px.error) == pytest.approx((900, 0))
    errors = [state.distance_cm.error / state.distance_cm.value for state in (assumed, read, given)]
    assert errors == sorted(errors, reverse=True)
    assert errors[1] < 0.08  # the heads' own sizes, and 3 % of the focal length
    assert read.to_dict()["focal_source"] == "EXIF"
