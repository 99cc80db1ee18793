import pytest

pytest.importorskip("fastapi")

from edge.image import load_image, to_grey
from edge.serve.assessing import FaceAssessor, Wanted


@pytest.mark.parametrize(
    ("wanted", "points68", "assessed"),
    [
        (Wanted(), False, False),
        (Wanted(annotated=True), False, False),
        (Wanted(points68=True), True, False),
        (Wanted(analyze=True), True, True),
        (Wanted(quality=True), True, True),
        (Wanted(visible=True), False, True),
    ],
)
def test_what_is_wanted_says_what_is_needed(wanted, points68, assessed):
    assert (wanted.needs_points68, wanted.is_assessed) == (points68, assessed)


def test_only_what_is_wanted_is_measured(detect, sample):
    image = load_image(sample)
    grey, faces = to_grey(image), detect(image)
    assess = FaceAssessor()
    (nothing,) = assess(grey, faces, Wanted())
    assert nothing.to_dict() == {}
    assert not {"analyzer", "visibility"} & vars(assess).keys()
    (state,) = assess(grey, faces, Wanted(analyze=True))
    assert list(state.to_dict()) == ["state"]
    (shot,) = assess(grey, faces, Wanted(quality=True))
    assert list(shot.to_dict()) == ["quality"]
    (seen,) = assess(grey, faces, Wanted(visible=True))
    assert list(seen.to_dict()) == ["visible"]
