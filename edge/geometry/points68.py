"""The parts and the mirror images of the 68 points of 300-W, which dlib predicts too."""

from __future__ import annotations

from collections.abc import Sequence

# The points (Sagonas et al., 2013) have no names but numbers from 0. The lines that
# they form: the first point, the last one, and whether the line is closed.
LINES_68 = (
    (0, 16, False),  # jaw, from the right ear to the left
    (17, 21, False),  # right brow
    (22, 26, False),  # left brow
    (27, 30, False),  # bridge of the nose
    (31, 35, False),  # nostrils
    (36, 41, True),  # right eye
    (42, 47, True),  # left eye
    (48, 59, True),  # outer border of the lips
    (60, 67, True),  # inner border of the lips
)
OUTER_EYE_CORNERS_68 = (45, 36)  # left, right
COUNT_68 = 68
JAW_68 = range(17)


def _mirror_order_68() -> tuple[int, ...]:
    """For each of the 68 points its counterpart; rows of points run from side to side."""
    rows = (range(17), range(17, 27), range(31, 36), range(48, 55), range(55, 60), range(60, 65),
            range(65, 68))  # fmt: skip
    order = list(range(COUNT_68))
    for row in rows:
        for point, counterpart in zip(row, reversed(row), strict=True):
            order[point] = counterpart
    for right, left in zip((36, 37, 38, 39, 40, 41), (45, 44, 43, 42, 47, 46), strict=True):
        order[right], order[left] = left, right
    return tuple(order)


# points68[MIRROR_ORDER_68] puts mirrored points back into the order of the scheme.
MIRROR_ORDER_68 = _mirror_order_68()


def relative_gap(
    points: Sequence[complex],
    corners: tuple[int, int],
    upper: Sequence[int],
    lower: Sequence[int],
) -> float | None:
    """Mean distance between two borders, across the line of their corners, over its length.

    Borders that cross have a negative one. Points are complex numbers `x + iy`: numpy takes several
    times as long for a few of them.

    Args:
        points: in px.
        corners: numbers of the points at both ends, the left one as seen first.
        upper: numbers of points of the upper border.
        lower: of the lower border, opposite those.

    Returns:
        None where the corners coincide.
    """
    along = points[corners[1]] - points[corners[0]]
    if not abs(along) > 0:
        return None
    between = sum(points[b] - points[a] for a, b in zip(upper, lower, strict=True)) / len(upper)
    return (between / along).imag
