import numpy as np
import pytest

from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import KEYPOINT_NAMES
from train.data.labelled_faces import MARGIN, PADDED
from train.visibility.layer import Scene, hidden_shares
from train.visibility.occluders import DISTRACTIONS, OCCLUDERS, draw_kind

ALL = OCCLUDERS | DISTRACTIONS
MOUTH = [k for k, name in enumerate(KEYPOINT_NAMES) if "mouth" in name or name == "nose_tip"]
EYES = [k for k, name in enumerate(KEYPOINT_NAMES) if "eye_" in name]


@pytest.fixture
def scene(rng):
    pictures = [rng.integers(0, 256, (PADDED, PADDED)).astype(np.uint8) for _ in range(3)]
    image = np.full((PADDED, PADDED), 140, np.uint8)
    return Scene(image, (MEAN_FACE + MARGIN).astype(np.float32), pictures, pictures)


@pytest.mark.parametrize("kind", ALL)
def test_layers_are_images_of_the_crops_size(kind, scene, rng):
    for _ in range(20):
        layer = ALL[kind][0](scene, rng)
        for values, high in ((layer.opacity, 1), (layer.grey, 255)):
            assert values.shape == (PADDED, PADDED)
            assert values.dtype == np.float32
            assert 0 <= values.min() <= values.max() <= high + 1e-4
        assert layer.hides == (kind in OCCLUDERS)
    assert (scene.image == 140).all()


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_occluders_hide_a_part_of_the_keypoints(kind, scene, rng):
    hidden = [hidden_shares(OCCLUDERS[kind][0](scene, rng), scene.keypoints) for _ in range(60)]
    assert 0.03 < np.mean(hidden) < 0.75


def test_masks_hide_the_mouth_and_sunglasses_the_eyes(scene, rng):
    for kind, hidden in (("mask", MOUTH), ("sunglasses", EYES)):
        shares = np.mean(
            [hidden_shares(OCCLUDERS[kind][0](scene, rng), scene.keypoints) for _ in range(60)], 0
        )
        others = [k for k in range(15) if k not in hidden]
        assert shares[hidden].mean() > 0.6
        assert shares[others].mean() < 0.35


def test_kinds_are_drawn_by_their_shares(rng):
    names = [draw_kind(OCCLUDERS, rng) for _ in range(2000)]
    total = sum(share for _, share in OCCLUDERS.values())
    for name, (_, share) in OCCLUDERS.items():
        assert names.count(name) / 2000 == pytest.approx(share / total, abs=0.03)
