import io
import pickle

import numpy as np
import pytest
from PIL import Image

import edge
from edge.cropped_faces import predict_crops
from edge.image import load_grey, load_image
from edge.networks.detections import Detections
from edge.refinement import FacePass, refine
from tests.made_models import ERROR90, REPEATED, write_keypoint_model

# Marked by hand on the sample picture, px.
MARKED = {
    "left_eye_center": (247, 103.5),
    "right_eye_center": (203.5, 101),
    "left_eye_inner_corner": (237, 104.5),
    "left_eye_outer_corner": (259, 104),
    "right_eye_inner_corner": (212, 102),
    "right_eye_outer_corner": (192.5, 101),
    "left_eyebrow_inner_end": (238.5, 93.5),
    "left_eyebrow_outer_end": (264, 95.5),
    "right_eyebrow_inner_end": (214, 92),
    "right_eyebrow_outer_end": (190, 91),
    "nose_tip": (225, 127),
    "mouth_left_corner": (246, 139),
    "mouth_right_corner": (203.5, 140),
    "mouth_center_top_lip": (225.5, 139.5),
    "mouth_center_bottom_lip": (224, 154),
}


class Given:
    """A detector that finds the same boxes in every image."""

    path, finds_faces, needs_rotation = None, True, False

    def __init__(self, boxes, scores=None):
        scores = None if scores is None else np.asarray(scores, np.float32)
        self.detections = Detections(np.asarray(boxes, np.float32), scores)

    def __call__(self, grey, detect_size):
        return self.detections


@pytest.fixture(scope="module")
def whole():
    return edge.FaceKeypoints(detector="none", precision="fp32")


def test_the_sample_has_one_face_with_its_keypoints_where_they_are(detect, sample):
    (face,) = detect(sample)
    found = dict(zip(detect.keypoint_names, face.keypoints, strict=True))
    eyes = 43.6  # px between the marked eye centres
    away = {name: np.linalg.norm(found[name] - place) for name, place in MARKED.items()}
    assert max(away.values()) < 0.2 * eyes, away
    assert np.mean(list(away.values())) < 0.1 * eyes, away
    assert face.score > 0.5
    assert face.track_id is None
    assert (face.error > 0).all()
    assert face.error.mean() < 0.1 * eyes


def test_results_have_the_promised_forms(detect, sample):
    (face,) = detect(sample)
    for array, shape in ((face.box, (4,)), (face.keypoints, (15, 2)), (face.error, (15,))):
        assert array.shape == shape
        assert array.dtype == np.float32
    with pytest.raises(AttributeError):
        face.score = 1.0


def test_a_kaggle_picture_gives_the_same_through_crops_and_as_a_whole(whole, rng):
    crop = rng.integers(0, 256, size=(96, 96)).astype(np.uint8)
    points, error, score = whole.crops(crop[None])
    (face,) = whole(crop)
    np.testing.assert_allclose(face.keypoints, points[0], atol=1e-3)
    np.testing.assert_allclose(face.error, error[0], atol=1e-3)
    assert face.score == pytest.approx(float(score[0]), abs=1e-4)
    np.testing.assert_array_equal(face.box, [0, 0, 96, 96])


def test_of_a_crop_with_two_faces_the_larger_is_predicted(detect, sample):
    face = Image.open(sample).convert("L").crop((170, 60, 280, 170))
    crop = Image.new("L", (96, 96), 179)
    crop.paste(face.resize((32, 32)), (0, 8))
    crop.paste(face.resize((22, 22)), (69, 32))
    grey = np.asarray(crop)
    blank = np.full((96, 96), 128, np.uint8)
    assert predict_crops(detect.model, grey[None]).face_score < 0.1
    found, alone = detect.crops(np.stack([blank, grey])), detect.crops(blank[None])
    (points,) = detect.crops(np.asarray(face.resize((96, 96)))[None]).keypoints
    expected = (points + 0.5) / 3 - 0.5 + (0, 8)
    assert np.linalg.norm(found.keypoints[1] - expected, axis=1).mean() < 1.0
    np.testing.assert_allclose(found.keypoints[0], alone.keypoints[0], atol=1e-3)


def test_a_twice_as_large_picture_gives_twice_as_large_results(whole, sample):
    small = np.asarray(Image.open(sample).crop((170, 60, 280, 170)))
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    (one,), (two,) = whole(small), whole(large)
    np.testing.assert_allclose(two.keypoints, (one.keypoints + 0.5) * 2 - 0.5, atol=0.6)
    np.testing.assert_allclose(two.error, one.error * 2, rtol=0.05)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_exif_orientations_give_the_same_keypoints(detect, sample, orientation):
    operation = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
    }.get(orientation)  # fmt: skip
    upright = Image.open(sample)
    stored = upright.transpose(operation) if operation is not None else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = io.BytesIO()
    stored.save(data, "PNG", exif=exif)
    (expected,), (face,) = detect(sample), detect(data.getvalue())
    np.testing.assert_array_equal(face.keypoints, expected.keypoints)
    np.testing.assert_array_equal(face.box, expected.box)


def test_a_batch_gives_what_single_calls_give(detect, sample):
    blank = np.full((60, 80), 128, np.uint8)
    images = [sample, blank, load_image(sample)[:, ::-1], sample]
    many = detect.batch(images)
    assert [len(faces) for faces in many] == [1, 0, 1, 1]
    for image, faces in zip(images, many, strict=True):
        for one, other in zip(detect(image), faces, strict=True):
            np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-2)
    assert detect.batch([]) == []


def test_a_hundred_faces_are_all_found_largest_first(detect, sample):
    face = np.asarray(Image.open(sample).crop((150, 40, 300, 190)))
    sheet = np.tile(face, (10, 10, 1))
    every = edge.FaceKeypoints(precision="fp32", detect_size=1500)(sheet)
    assert len(every) >= 100
    areas = [float(f.box[2] * f.box[3]) for f in every]
    assert areas == sorted(areas, reverse=True)
    few = edge.FaceKeypoints(precision="fp32", detect_size=1500, max_faces=7)(sheet)
    assert len(few) == 7


def test_a_face_below_the_score_is_dropped(sample):
    assert edge.FaceKeypoints(min_score=1.0)(sample) == []


def test_of_two_boxes_on_one_face_the_better_is_kept(detect, sample, monkeypatch):
    boxes = np.array([[166, 56, 110, 140], [185, 61, 80, 108], [290, 300, 60, 60]], np.float32)
    every = edge.FaceKeypoints(precision="fp32", min_score=0)
    monkeypatch.setattr(every, "face_detector", Given(boxes))
    every = every(sample)
    assert len(every) == 2
    inner = [face for face in every if face.box[0] < 200]
    alone = detect.faces_at(sample, boxes[:2])
    assert inner[0].score == pytest.approx(max(face.score for face in alone), abs=1e-5)


def test_a_duplicate_of_a_far_higher_score_is_not_run(detect, sample, monkeypatch):
    boxes = np.array([[185, 60, 79, 107], [200, 80, 40, 50], [210, 90, 40, 50], [9, 9, 20, 25]])
    monkeypatch.setattr(detect, "face_detector", Given(boxes, [0.9, 0.44, 0.46, 0.37]))
    found = detect.detect_faces(np.zeros((200, 300), np.uint8))
    np.testing.assert_allclose(found.scores, [0.9, 0.46, 0.37])


def test_results_may_be_written_to_and_inputs_are_left_alone(whole, sample):
    image = edge.load_image(sample)
    copy = edge.load_image(image)
    copy[:] = 0
    assert image.any()
    edge.draw(image, [])[:] = 0
    assert image.any()


def test_a_path_is_no_batch(whole):
    with pytest.raises(edge.ImageError, match="pass a list"):
        whole.batch("photo.jpg")


def test_one_pixel_is_a_picture(whole):
    (face,) = whole(np.array([[9]], np.uint8))
    assert np.isfinite(face.keypoints).all()


@pytest.mark.parametrize(
    "crops", [np.zeros((96, 96), np.uint8), np.zeros((2, 96, 96)), np.zeros((2, 64, 64), np.uint8)]
)
def test_crops_of_another_form_are_refused(whole, crops):
    with pytest.raises(edge.ImageError, match=r"expected uint8 of shape \(N, 96, 96\)"):
        whole.crops(crops)


@pytest.mark.parametrize(
    "setting",
    [
        {"detector": "magic"},
        {"threads": 0},
        {"threads": 10**9},
        {"min_score": 2},
        {"max_faces": 0},
        {"detect_size": 5},
    ],
)
def test_settings_out_of_range_are_refused(setting):
    (name,) = setting
    with pytest.raises(ValueError, match=name):
        edge.FaceKeypoints(**setting)


def test_a_detector_is_a_name_or_a_file(tmp_path):
    with pytest.raises(ValueError, match="haar, none or"):
        edge.FaceKeypoints(detector="cascade")
    with pytest.raises(edge.ModelError, match="no such model file"):
        edge.FaceKeypoints(detector=tmp_path / "none.onnx")


def test_eight_threads_find_what_one_finds(detect, sample):
    from concurrent.futures import ThreadPoolExecutor

    image = load_image(sample)
    pictures = [image, image[:, ::-1], image[40:], image[:, 60:]] * 4
    alone = [detect(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(detect, pictures))
    for one, other in zip(alone, together, strict=True):
        assert len(one) == len(other) == 1
        np.testing.assert_array_equal(one[0].keypoints, other[0].keypoints)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_another_process_gets_the_settings_and_opens_the_models_again(precision, sample):
    import pickle

    detect = edge.FaceKeypoints(detector="none", precision=precision, threads=2, max_faces=3)
    data = pickle.dumps(detect)
    assert len(data) < 1000
    again = pickle.loads(data)
    assert (again.max_faces, again.model.path) == (3, detect.model.path)
    (one,), (other,) = detect(sample), again(sample)
    np.testing.assert_array_equal(one.keypoints, other.keypoints)


def test_as_few_boxes_are_run_as_faces_are_asked_for(sample, monkeypatch):
    face, inner = (185, 60, 79, 107), (190, 66, 70, 95)
    boxes = np.array([[250, 250, 120, 150], face, inner, (300, 20, 60, 70), (9, 9, 20, 25)])
    scores = [0.9, 0.9, 0.8, 0.9, 0.9]
    counts = []

    def counted(model, images, matrices, **options):
        counts.append(len(images))
        return refine(model, images, matrices, **options)

    monkeypatch.setattr("edge.facekeypoints.refine", counted)

    def find(max_faces):
        detect = edge.FaceKeypoints(precision="fp32", max_faces=max_faces)
        monkeypatch.setattr(detect, "face_detector", Given(boxes, scores))
        return detect(sample)

    every = find(None)
    assert counts.pop() == 5
    assert len(every) == 1
    few = find(2)  # the first is no face; one more is to be found, and is not there
    assert counts == [3, 2]
    assert find(1)[0].score == every[0].score == few[0].score
    assert counts[2:] == [1, 4]


def test_points_that_span_no_face_leave_the_detectors_box(detect, sample, monkeypatch):
    def one_place(model, pictures, matrices, **_):
        points, error = np.full(15, 5 + 5j), np.ones(15, np.float32)
        crop = np.zeros((96, 96), np.uint8)
        return [FacePass(points, error, 1.0, crop, (1 + 0j, 0j)) for _ in matrices]

    monkeypatch.setattr("edge.facekeypoints.refine", one_place)
    grey = load_grey(sample)
    found = detect.detect_faces(grey).above(0.8)
    (face,) = detect.predict_faces([grey], [found])[0]
    np.testing.assert_array_equal(face.box, found.boxes[0])


def test_the_68_points_are_in_the_image_as_the_keypoints_are(detect68, sample):
    image = Image.open(sample).rotate(-20)  # needs a further pass
    (face,) = detect68(image)
    np.testing.assert_allclose(face.points68, face.keypoints[REPEATED], atol=1e-3)
    np.testing.assert_allclose(face.error90, face.error * ERROR90, rtol=1e-5)
    (at_box,) = detect68.faces_at(image, [face.box])
    np.testing.assert_allclose(at_box.points68, at_box.keypoints[REPEATED], atol=1e-3)
    assert detect68.batch([image, sample])[1][0].points68.shape == (68, 2)


def test_asking_for_the_68_points_changes_nothing_else(detect, detect68, sample):
    (plain,), (full,) = detect(sample), detect68(sample)
    np.testing.assert_array_equal(full.keypoints, plain.keypoints)
    np.testing.assert_array_equal(full.box, plain.box)
    assert plain.points68 is None


def test_crops_have_68_points_in_their_own_pixels(detect68, sample):
    tilted = Image.open(sample).convert("L").rotate(-30).crop((150, 50, 280, 180)).resize((96, 96))
    crops = np.stack([np.asarray(tilted)] * 3)
    prediction = detect68.crops(crops)
    np.testing.assert_allclose(prediction.points68, prediction.keypoints[:, REPEATED], atol=1e-3)
    np.testing.assert_allclose(prediction.error90, prediction.error * ERROR90, rtol=1e-5)
    assert detect68.crops(crops[:0]).points68.shape == (0, 68, 2)
    assert detect68.crops(crops, points68=False).points68 is None


def test_68_points_of_a_model_without_them_are_an_error_when_it_is_opened(tmp_path):
    pytest.importorskip("onnx")
    path = write_keypoint_model(tmp_path / "plain.onnx", points68=False)
    with pytest.raises(edge.ModelError, match="this model predicts no 68 points"):
        edge.FaceKeypoints(model=path, precision="fp32", points68=True)


def test_another_process_predicts_the_68_points_too(detect68):
    same = pickle.loads(pickle.dumps(detect68))
    assert same.points68
    assert same.model.path == detect68.model.path


def test_boxes_with_further_numbers_are_refused(detect, sample):
    corners = np.tile([180, 66, 269, 178, 0.9], (4, 1))
    yunet = np.tile([180, 66, 89, 112, *[200, 100] * 5, 0.9], (4, 1))
    for boxes in (corners, yunet, [180, 66, 89, 112]):
        with pytest.raises(ValueError, match="boxes must have the shape"):
            detect.faces_at(sample, boxes)
    with pytest.raises(ValueError, match="received the shape"):
        detect.detect_others(load_grey(sample), corners)
    assert detect.faces_at(sample, []) == []


def test_a_box_beyond_all_images_is_refused(detect, sample):
    with pytest.raises(ValueError, match="a box must lie within 16,777,216 px, received 1e"):
        detect.faces_at(sample, [[0, 0, 1e12, 1e12]])


def test_detection_takes_grey_alone(detect, sample):
    for image in (load_image(sample), load_grey(sample) / 255.0, np.empty((0, 5), np.uint8)):
        with pytest.raises(edge.ImageError, match="as an image"):
            detect.detect_faces(image)


def test_a_face_before_a_larger_one_and_the_larger_one_are_both_found(detect, sample):
    photo = Image.open(sample)
    canvas = Image.new("RGB", (700, 700), "grey")
    canvas.paste(
        photo.crop((150, 10, 300, 210)).resize((450, 600), Image.Resampling.BICUBIC), (100, 50)
    )
    canvas.paste(
        photo.crop((165, 45, 285, 190)).resize((120, 144), Image.Resampling.BICUBIC), (145, 350)
    )
    large, small = detect(canvas)
    # The sample's own box, three times as large.
    assert large.box == pytest.approx([188, 214, 276, 349], abs=15)
    assert small.box == pytest.approx([158, 368, 90, 113], abs=8)
