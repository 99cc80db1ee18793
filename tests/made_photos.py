"""Synthetic photos with boxes and rolls, for tests that train the detector."""

import numpy as np

from train.detector.photos import NO_BOXES, NO_ROLLS, Photo


def boxed(*boxes):
    """Boxes `(M, 4)`, float32."""
    return np.array(boxes, np.float32).reshape(-1, 4)


def bright_photo(name="photos", box=(40, 30, 24, 32), size=(120, 160), roll=0.0):
    """A dark photo with one bright face."""
    pixels = np.full(size, 30, np.uint8)
    x, y, width, height = box
    pixels[y : y + height, x : x + width] = 220
    return Photo(pixels, boxed(box), NO_BOXES, name, np.array([roll], np.float32))


def grey_photo(source="photos", boxes=((40, 60, 40, 50),)):
    """A photo of one grey value, with boxes of upright faces."""
    pixels = np.full((160, 160), 130, np.uint8)
    return Photo(pixels, boxed(*boxes), NO_BOXES, source, np.zeros(len(boxes), np.float32))


def empty_photo(source="negatives", value=90):
    """A photo of one grey value without a face."""
    return Photo(np.full((100, 140), value, np.uint8), NO_BOXES, NO_BOXES, source, NO_ROLLS)
