"""The description at /openapi.json holds for what is made from it: valid and invalid requests."""

import io

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("schemathesis")

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from PIL import Image
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from edge.serve.schemas import About, FrameRecord, PictureRecord
from tests.edge.serve.serving import serving


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect) as url:
        yield url


def test_every_answer_is_one_that_is_described(url):
    operations = [
        found.ok()
        for found in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations()
    ]
    assert len(operations) >= 8
    for operation in operations:
        valid = operation.as_strategy()
        invalid = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

        @given(case=valid | invalid)
        @settings(
            max_examples=15,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def check(case):
            # No schema can say which bytes are a picture.
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        check()


def test_results_have_the_form_that_is_described(url, sample):
    photo = sample.read_bytes()
    record = httpx.post(f"{url}/v1/keypoints", content=photo).json()
    assert PictureRecord(**record).model_dump() == record
    about = httpx.get(f"{url}/v1/model").json()
    assert About(**about).model_dump() == about
    (crop,) = httpx.post(f"{url}/v1/crops", content=crop_of(sample)).json()
    assert FrameRecord(**crop).model_dump(exclude_none=True) == crop


def crop_of(sample):
    file = io.BytesIO()
    Image.open(sample).convert("L").crop((177, 60, 273, 156)).save(file, "PNG")
    return file.getvalue()
