"""Worse copies of a portrait: blurred, dark, turned, with closed eyes, small."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_RINGS = (range(36, 42), range(42, 48))  # of the 68 points: the outlines of the eyes


def blurred(image, face):
    """By a camera out of focus, by 4 % of the distance between the outer eye corners."""
    sigma = 0.04 * float(np.linalg.norm(face.points68[45] - face.points68[36]))
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma)))


def dark(image, face):
    """At a sixth of the light."""
    return (image / 6).astype(np.uint8)


def small(image, face):
    """From a distance: the face 36 px wide."""
    factor = 36 / float(face.box[2])
    size = [max(1, round(side * factor)) for side in image.shape[1::-1]]
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def closed(image, face):
    """With the skin of the upper lids drawn over the eyes, and the lashes under them."""
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for ring in _RINGS:
        eye = face.points68[list(ring)].astype(float)
        width = np.linalg.norm(eye[3] - eye[0])
        across = np.array([-(eye[3] - eye[0])[1], (eye[3] - eye[0])[0]]) / width
        x, y = np.rint(eye[[1, 2]].mean(axis=0) - 0.18 * width * across).astype(int)
        skin = tuple(np.median(image[y - 1 : y + 2, x - 2 : x + 3], axis=(0, 1)).astype(int))
        middle = eye.mean(axis=0)
        outline = middle + (eye - middle) * (1.2, 1.7)
        draw.polygon([tuple(point) for point in outline], fill=skin)
        lashes = eye[[0, 5, 4, 3]] + 0.05 * width * across
        draw.line(
            [tuple(point) for point in lashes], fill=(40, 30, 30), width=max(1, int(width / 14))
        )
    return np.asarray(picture)


def turned(image, face, yaw_deg=35.0):
    """With the pixels of the head turned on an ellipsoid."""
    x, y, width, height = map(float, face.box)
    centre = np.array([x + width / 2, y + height / 2])
    radii = np.array([0.62 * width, 0.8 * height])
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    u, v = (columns - centre[0]) / radii[0], (rows - centre[1]) / radii[1]
    depth = np.sqrt(np.clip(1 - u**2 - v**2, 0, None))
    yaw = np.radians(yaw_deg)
    source = centre[0] + radii[0] * (u * np.cos(yaw) - depth * np.sin(yaw))
    source = np.where(depth > 0, source, columns)
    return image[rows, np.clip(np.rint(source), 0, image.shape[1] - 1).astype(int)]


WORSE = {f.__name__: f for f in (blurred, dark, small, closed, turned)}
