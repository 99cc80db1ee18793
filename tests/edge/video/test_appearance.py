from dataclasses import replace

import numpy as np
import pytest

from edge.crop import cut_face
from edge.geometry.affine import matrix_from_complex
from edge.geometry.face_frame import MEAN_FACE
from edge.image import load_image, to_grey
from edge.video.appearance import has_changed, is_cut, look_of, template_of, thumbnail
from edge.video.observation import observe_detected
from tests.edge.video.observations import observed


def test_a_template_has_zero_mean_unit_norm_and_no_illumination(rng):
    crop = rng.integers(60, 120, (96, 96)).astype(np.uint8)
    template = template_of(observed(MEAN_FACE, crop))
    assert template.shape == (48, 48)
    assert template.mean() == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(template) == pytest.approx(1, abs=1e-5)
    brighter = template_of(observed(MEAN_FACE, crop + 100))
    assert (template * brighter).sum() == pytest.approx(1, abs=1e-3)
    assert template_of(observed(MEAN_FACE)) is None  # no texture
    assert template_of(observed(np.full((15, 2), 3.0), crop)) is None


@pytest.mark.parametrize(("angle", "scale"), [(0, 1.0), (5, 1.0), (-14, 0.9), (14, 0.9)])
def test_a_template_is_that_of_the_upright_face(angle, scale, sample, detect):
    image = load_image(sample)
    (face,) = detect(image)
    upright = observe_detected(face, to_grey(image), 96)
    factor, offset = upright.to_crop
    turn = scale * np.exp(1j * np.radians(angle))
    middle = 47.5 * (1 + 1j)
    to_crop = turn * factor, turn * (offset - middle) + middle
    crop = cut_face(to_grey(image), matrix_from_complex(*to_crop), 96)
    turned = replace(upright, crop=crop, to_crop=to_crop)
    assert np.vdot(template_of(upright), template_of(turned)) > 0.985


def test_a_look_changes_with_the_face_and_not_with_noise_or_brightness(rng):
    crop = rng.integers(40, 160, (96, 96)).astype(np.uint8)
    noisy = (crop + rng.normal(0, 3, crop.shape)).astype(np.uint8)
    other = rng.integers(40, 160, (96, 96)).astype(np.uint8)
    looks = [look_of(observed(MEAN_FACE, image)) for image in (crop, noisy, crop + 60, other)]
    assert [has_changed(looks[0], look) for look in looks] == [False, False, False, True]
    assert look_of(observed(MEAN_FACE)) is None  # no texture
    assert has_changed(None, looks[0])
    assert has_changed(looks[0], None)


def test_a_cut_is_told_from_noise_flashes_and_one_face_that_comes(rng):
    room, other = (
        np.kron(rng.integers(30, 200, (6, 8, 3)), np.ones((60, 60, 1))).astype(np.uint8)
        for _ in range(2)
    )
    with_face, flash = room.copy(), np.minimum(room.astype(int) + 55, 255).astype(np.uint8)
    with_face[100:200, 100:180] = 250
    grey = [np.clip(128 + rng.normal(0, 4, room.shape), 0, 255).astype(np.uint8) for _ in range(2)]
    assert thumbnail(room).shape == (30, 32)
    cases = [(room, other, True), (room, with_face, False), (room, flash, False),
             (grey[0], grey[1], False), (room, np.zeros_like(room), False)]  # fmt: skip
    assert [is_cut(thumbnail(a), thumbnail(b)) for a, b, _ in cases] == [c for _, _, c in cases]
