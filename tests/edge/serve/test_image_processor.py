import pytest

pytest.importorskip("fastapi")

from starlette.exceptions import HTTPException

from edge.image import load_image
from edge.records import to_record
from edge.serve.assessing import Wanted
from edge.serve.image_processor import ImageProcessor
from edge.serve.limits import Limits
from edge.serve.multipart import Upload
from tests.edge.serve.test_uploads import png


@pytest.fixture
def process(detect):
    return ImageProcessor(detect)


@pytest.fixture
def photo(sample):
    return sample.read_bytes()


def test_the_record_is_that_of_the_command_line(process, detect, sample, photo):
    result = process.find_faces(Upload("a.jpg", photo), Wanted())
    assert result.record == to_record("a.jpg", 512, 512, detect(sample), detect.keypoint_names)
    assert result.annotated_jpeg is None
    assert set(result.timings_ms) == {"decode", "search", "look"}


def test_an_annotated_image_has_the_size_of_the_original(process, photo):
    result = process.find_faces(Upload("a", photo), Wanted(annotated=True))
    assert load_image(result.annotated_jpeg).shape == (512, 512, 3)


def test_an_image_without_faces_has_a_record_without_faces(process):
    result = process.find_faces(Upload("a", png(80, 60)), Wanted())
    assert result.record == {"image": "a", "width": 80, "height": 60, "faces": []}


def test_68_points_that_are_only_needed_are_not_in_the_record(process, photo):
    (face,) = process.find_faces(Upload("a", photo), Wanted(analyze=True)).record["faces"]
    assert "points68" not in face
    assert "lip_opening" in face["state"]
    (face,) = process.find_faces(Upload("a", photo), Wanted(points68=True)).record["faces"]
    assert len(face["points68"]) == 68


def test_a_damaged_image_is_an_error(process, photo):
    with pytest.raises(HTTPException, match="422"):
        process.find_faces(Upload("a", photo[:300]), Wanted())


def test_crops_beyond_the_limits_are_an_error(process):
    uploads = [Upload("a", png(96, 96))] * 2
    with pytest.raises(HTTPException, match="413"):
        process.predict_crops(uploads, False, Limits(crops=1))
    assert len(process.predict_crops(uploads, False, Limits())) == 2
