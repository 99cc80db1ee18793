"""The OpenAPI description, checked with generated valid and invalid requests."""

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

from edge.serve.schemas import (
    ERROR_DESCRIPTIONS,
    About,
    FrameRecord,
    PictureRecord,
    Problem,
    error_responses,
)
from tests.edge.serve.serving import serving


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect) as url:
        yield url


def test_every_response_conforms_to_the_description(url):
    operations = [
        operation.ok()
        for operation in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations()
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
            # A schema cannot express which bytes are an image.
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        check()


def test_results_conform_to_their_schemas(url, sample):
    photo = sample.read_bytes()
    measured = httpx.post(f"{url}/v1/keypoints?analyze=1&quality=1", content=photo).json()
    assert PictureRecord(**measured).model_dump(exclude_unset=True) == measured
    record = httpx.post(f"{url}/v1/keypoints", content=photo).json()
    assert PictureRecord(**record).model_dump(exclude_unset=True) == record
    about = httpx.get(f"{url}/v1/model").json()
    assert About(**about).model_dump(exclude_unset=True) == about
    (crop,) = httpx.post(f"{url}/v1/crops", content=crop_of(sample)).json()
    assert FrameRecord(**crop).model_dump(exclude_none=True) == crop


def test_names_from_which_clients_are_generated_stay(url):
    description = httpx.get(f"{url}/openapi.json").json()
    assert set(description["components"]["schemas"]) == {
        "About", "FaceRecord", "FrameRecord", "HTTPValidationError", "Health", "Measured",
        "PictureRecord", "Point", "Problem", "ValidationError",
    }  # fmt: skip
    operations = {
        path: [operation["operationId"] for operation in methods.values()]
        for path, methods in description["paths"].items()
    }
    assert operations == {
        "/v1/keypoints": ["keypoints_v1_keypoints_post"],
        "/v1/crops": ["crops_v1_crops_post"],
        "/v1/model": ["model_v1_model_get"],
        "/v1/live": ["live_v1_live_get"],
        "/v1/live/faces": ["live_faces_v1_live_faces_get"],
        "/v1/live/states": ["live_states_v1_live_states_get"],
        "/health": ["health_health_get"],
        "/metrics": ["metrics_metrics_get"],
        "/models/{name}.onnx": ["network_models__name__onnx_get"],
    }


def test_error_responses_are_described_by_status():
    assert error_responses(401, 503) == {
        401: {"model": Problem, "description": "the token is missing or wrong"},
        503: {"model": Problem, "description": "the server is overloaded; see Retry-After"},
    }
    assert list(error_responses(*ERROR_DESCRIPTIONS)) == [
        400, 401, 408, 413, 415, 421, 422, 500, 503, 504,
    ]  # fmt: skip


def crop_of(sample):
    file = io.BytesIO()
    Image.open(sample).convert("L").crop((177, 60, 273, 156)).save(file, "PNG")
    return file.getvalue()
