"""Drawing faces on the colour image, legible from 200 px to 6000 px."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge.face import Face
from edge.formats.arrays import check_rgb
from edge.geometry.points68 import LINES_68
from edge.image import ImageSource, Order, Rgb, load_image
from edge.keypoints import KEYPOINT_NAMES

SEEN = 0.5  # probability from which a keypoint counts as seen; others are drawn hollow

# Okabe and Ito's palette (2008), distinguishable with colour blindness: the subject's left, right
# and centre.
_LEFT = (230, 159, 0)
_RIGHT = (86, 180, 233)
_CENTRE = (0, 158, 115)
_BLACK = (0, 0, 0)
_WHITE = (255, 255, 255)

_DOT = 0.014  # radius of a point, in sides of the face's box
_MIN_DOT = 1.3  # px
_LINE = 0.35  # width of a line through the 68 points, in radii of a point
_SUPERSAMPLING = 4  # of lines
_MAX_SUPERSAMPLED = 1000  # px; the mask of a larger face would take much memory
_OUTLINE = 1.45  # radius of the dark outline, in radii of the point
_RING = 0.7  # width of a hollow point, likewise
_MIN_SIDE_WITH_NAMES = 900  # px; a smaller image is enlarged, or 15 names would cover it
_MAX_SIDE_WITH_NAMES = 6000  # px, of an enlarged image
_MAX_ENLARGEMENT = 8


def draw(
    image: Rgb,
    faces: Sequence[Face],
    *,
    names: Sequence[str] = KEYPOINT_NAMES,
    show_names: bool = False,
    show_error: bool = False,
    show_points68: bool = False,
    visible: Sequence[NDArray[np.floating] | None] = (),
) -> Rgb:
    """Draw boxes, keypoints and track numbers on a copy of an image.

    Points of the subject's left side are orange, of the right side blue, in the centre green.

    Args:
        image: uint8 `(H, W, 3)`, RGB, the image the faces were found in.
        faces: to draw.
        names: names of the keypoints, in order; also the source of each point's side.
        show_names: write the name of each point beside the face. An image whose shorter side is
            below 900 px is enlarged for it by a whole factor, with faces or without, so that all
            frames of a video have one size.
        show_error: draw the 50 % error radius of each point as a circle.
        show_points68: draw the lines through the 68 points of faces that have them: jaw, brows,
            nose, eyes and lips.
        visible: of each face the probability that each keypoint is seen, of `edge.Visibility`;
            keypoints below `SEEN` are drawn hollow. All are drawn full where a face has none.

    Returns:
        uint8 `(H, W, 3)`, RGB; `(f·H, f·W, 3)` where it was enlarged.

    Raises:
        ImageError: the image has another shape or dtype.
    """
    image = check_rgb(image)
    factor = _enlargement(image) if show_names else 1
    canvas = Image.fromarray(image)
    if factor > 1:
        size = (canvas.width * factor, canvas.height * factor)
        canvas = canvas.resize(size, Image.Resampling.BICUBIC)
    for i, face in enumerate(faces):
        if show_points68 and face.points68 is not None:
            _draw_lines(canvas, face, face.points68, factor)
        seen = visible[i] if i < len(visible) else None
        _draw_face(canvas, face, names, factor, show_error, seen)
    if show_names:
        for face in faces:
            _draw_names(canvas, face, names, factor)
    return np.array(canvas)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image with its faces drawn, which notebooks display.

    Attributes:
        image: uint8 `(H, W, 3)`, RGB, with the faces drawn.
        faces: those drawn.
    """

    image: Rgb
    faces: Sequence[Face]

    def _repr_html_(self) -> str:
        from edge.formats.image_writer import to_jpeg

        data = base64.b64encode(to_jpeg(self.image)).decode("ascii")
        rows = "".join(
            f"<tr><td>{i if face.track_id is None else face.track_id}</td>"
            f"<td>{face.score:.2f}</td><td>{', '.join(f'{px:.0f}' for px in face.box)}</td>"
            f"<td>{face.error.mean():.1f}</td></tr>"
            for i, face in enumerate(self.faces)
        )
        return (
            f'<img alt="{len(self.faces)} faces" src="data:image/jpeg;base64,{data}">'
            "<table><tr><th>face</th><th>score</th><th>x, y, width, height</th>"
            f"<th>mean error, px</th></tr>{rows}</table>"
        )


def show(
    image: ImageSource, faces: Sequence[Face], order: Order = "rgb", max_side: int = 1024
) -> Picture:
    """Draw the faces of an image for a notebook.

    Args:
        image: that the faces were found in, as `edge.load_image` takes it.
        faces: of a call.
        order: of the colours of an array.
        max_side: a larger picture is shrunk to it, px.

    Raises:
        ImageError, SourceError: as `edge.load_image`.
    """
    drawn = Image.fromarray(draw(load_image(image, order), faces))
    drawn.thumbnail((max_side, max_side), Image.Resampling.BICUBIC)
    return Picture(np.array(drawn), faces)


def _enlargement(image: Rgb) -> int:
    height, width = image.shape[:2]
    needed = -(-_MIN_SIDE_WITH_NAMES // min(height, width))
    limit: int = _MAX_SIDE_WITH_NAMES // max(height, width)
    return max(1, min(int(needed), _MAX_ENLARGEMENT, limit))


def _draw_face(
    canvas: Image.Image,
    face: Face,
    names: Sequence[str],
    factor: int,
    show_error: bool,
    visible: NDArray[np.floating] | None,
) -> None:
    box = face.box * factor
    radius = min(_dot_radius(box), float(max(canvas.size)))
    _draw_box(canvas, box, max(1, round(radius / 2)))
    if face.track_id is not None:
        _draw_number(canvas, box, face.track_id)
    points = _enlarged(face.keypoints, factor)
    seen = [True] * len(points) if visible is None else visible >= SEEN
    for point, error, name, is_seen in zip(points, face.error * factor, names, seen, strict=True):
        if show_error:
            _stamp(canvas, point, float(error) + radius / 4, _WHITE, hollow=max(1.0, radius / 2))
        _draw_point(canvas, point, radius, _colour(name), bool(is_seen))


def _draw_point(
    canvas: Image.Image,
    point: NDArray[np.float32],
    radius: float,
    colour: tuple[int, int, int],
    is_seen: bool,
) -> None:
    """A disc with a dark outline, or a ring between two of them."""
    if is_seen:
        _stamp(canvas, point, radius * _OUTLINE, _BLACK)
        _stamp(canvas, point, radius, colour)
        return
    width = max(1.0, radius * _RING)
    outline = radius * (_OUTLINE - 1)
    _stamp(canvas, point, radius * _OUTLINE + width, _BLACK, hollow=width + 2 * outline)
    _stamp(canvas, point, radius + width, colour, hollow=width)


def _draw_lines(
    canvas: Image.Image, face: Face, points68: NDArray[np.float32], factor: int
) -> None:
    """The lines of the 68 points, white with a dark outline; antialiased on all but large faces."""
    width = max(1.0, _dot_radius(face.box * factor) * _LINE)
    points = _enlarged(points68, factor)
    low = np.floor(points.min(axis=0) - 2 * width).astype(int)
    size = np.ceil(points.max(axis=0) + 2 * width).astype(int) - low + 1
    scale = _SUPERSAMPLING if size.max() <= _MAX_SUPERSAMPLED else 1
    corners = [(float(x), float(y)) for x, y in (points - low + 0.5) * scale - 0.5]
    for colour, line_width in ((_BLACK, 3 * width), (_WHITE, width)):
        mask = Image.new("L", (int(size[0]) * scale, int(size[1]) * scale))
        pen = ImageDraw.Draw(mask)
        for first, last, is_closed in LINES_68:
            line = corners[first : last + 1] + ([corners[first]] if is_closed else [])
            pen.line(line, 255, max(1, round(line_width * scale)), joint="curve")
        canvas.paste(colour, (int(low[0]), int(low[1])), mask.reduce(scale))


def _dot_radius(box: NDArray[np.float32]) -> float:
    return max(_MIN_DOT, _DOT * float(max(box[2:])))


def _enlarged(points: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    return (points + np.float32(0.5)) * factor - np.float32(0.5)


def _colour(name: str) -> tuple[int, int, int]:
    words = name.split("_")
    return _LEFT if "left" in words else _RIGHT if "right" in words else _CENTRE


def _draw_box(canvas: Image.Image, box: NDArray[np.float32], width: int) -> None:
    x, y, w, h = (float(value) for value in box)
    far = 2 * max(canvas.size) + 2 * width  # beyond it Pillow would draw, too
    x, w = max(x, -far), min(x + w, far) - max(x, -far)
    y, h = max(y, -far), min(y + h, far) - max(y, -far)
    if w <= 0 or h <= 0:
        return
    pen = ImageDraw.Draw(canvas)
    pen.rectangle((x - width, y - width, x + w - 1 + width, y + h - 1 + width), None, _BLACK, width)
    pen.rectangle((x, y, max(x, x + w - 1), max(y, y + h - 1)), None, _WHITE, width)


def _draw_number(canvas: Image.Image, box: NDArray[np.float32], number: int) -> None:
    """The number on a dark ground, at the box's upper left corner, moved inside the image."""
    size = int(np.clip(max(box[2:]) / 7, 12, 200))
    font = ImageFont.load_default(size)
    pen = ImageDraw.Draw(canvas)
    left, top, right, bottom = pen.textbbox((0, 0), str(number), font=font)
    width, height = right - left + size // 2, bottom - top + size // 2
    x = min(max(0.0, float(box[0])), max(0.0, canvas.width - width))
    y = min(max(0.0, float(box[1]) - height), max(0.0, canvas.height - height))
    pen.rectangle((x, y, x + width, y + height), fill=_BLACK)
    pen.text((x + size // 4 - left, y + size // 4 - top), str(number), font=font, fill=_WHITE)


def _stamp(
    canvas: Image.Image,
    centre: NDArray[np.float32],
    radius: float,
    colour: tuple[int, int, int],
    hollow: float | None = None,
) -> None:
    """Blend an antialiased disc at a subpixel position; `hollow` leaves a ring of that width."""
    x, y = (float(value) for value in centre)
    left, top = int(np.floor(x - radius - 1)), int(np.floor(y - radius - 1))
    side = int(np.ceil(2 * radius)) + 4
    # Only what lies in the image, of which a face that is known by its box may be any multiple.
    right, bottom = min(left + side, canvas.width), min(top + side, canvas.height)
    left, top = max(left, 0), max(top, 0)
    if left >= right or top >= bottom:
        return
    grid_y, grid_x = np.mgrid[top:bottom, left:right]
    distance = np.hypot(grid_x - x, grid_y - y)
    alpha = np.clip(radius + 0.5 - distance, 0, 1)
    if hollow is not None:
        alpha -= np.clip(radius - hollow + 0.5 - distance, 0, 1)
    mask = Image.fromarray((alpha * 255).astype(np.uint8))
    canvas.paste(colour, (left, top), mask)


def _draw_names(canvas: Image.Image, face: Face, names: Sequence[str], factor: int) -> None:
    """Names in two columns beside the face, by height, each with a line to its point."""
    box, points = face.box * factor, _enlarged(face.keypoints, factor)
    size = int(np.clip(max(box[2:]) / 22, 11, 200))
    font = ImageFont.load_default(size)
    centre = float(np.median(points[:, 0]))
    order = np.argsort(points[:, 1], kind="stable")
    for on_right in (False, True):
        column = [k for k in order if (points[k, 0] >= centre) == on_right]
        edge = float(box[0] + box[2] + size) if on_right else float(box[0] - size)
        top = float(points[:, 1].mean()) - len(column) * size * 0.8
        for line, k in enumerate(column):
            position = (edge, top + line * size * 1.6)
            _draw_name(canvas, names[k], position, points[k], font, on_right)


def _draw_name(
    canvas: Image.Image,
    name: str,
    position: tuple[float, float],
    point: NDArray[np.float32],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    on_right: bool,
) -> None:
    pen = ImageDraw.Draw(canvas)
    left, top, right, bottom = pen.textbbox((0, 0), name, font=font)
    width, height = right - left, bottom - top
    x = position[0] if on_right else position[0] - width
    x = min(max(2.0, x), max(2.0, canvas.width - width - 2.0))
    y = min(max(2.0, position[1]), max(2.0, canvas.height - height - 2.0))
    anchor = (x if on_right else x + width, y + height / 2)
    line = max(1, round(height / 14))
    pen.line((*anchor, float(point[0]), float(point[1])), fill=_BLACK, width=line + 2)
    pen.line((*anchor, float(point[0]), float(point[1])), fill=_colour(name), width=line)
    pen.rectangle((x - 2, y - 2, x + width + 2, y + height + 2), fill=_BLACK)
    pen.text((x - left, y - top), name, font=font, fill=_colour(name))
