"""What the tests of training share."""

import pytest


@pytest.fixture(autouse=True)
def short_training(request):
    """Save time wherever the accuracy of the face score is not tested."""
    if not request.module.__name__.endswith("test_face_score"):
        request.getfixturevalue("few_face_score_epochs")
