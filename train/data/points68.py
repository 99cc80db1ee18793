"""The 68-point scheme of 300-W (Sagonas et al., 2013), counted from 0: parts and mirror order."""

from __future__ import annotations

COUNT = 68
JAW = range(17)  # along the outline of the face, from the right ear to the left


def _mirror_order() -> tuple[int, ...]:
    rows = (range(17), range(17, 27), range(31, 36), range(48, 55), range(55, 60), range(60, 65),
            range(65, 68))  # fmt: skip
    order = list(range(COUNT))
    for row in rows:
        for point, counterpart in zip(row, reversed(row), strict=True):
            order[point] = counterpart
    for right, left in zip((36, 37, 38, 39, 40, 41), (45, 44, 43, 42, 47, 46), strict=True):
        order[right], order[left] = left, right
    return tuple(order)


# points68[MIRROR_ORDER_68] restores the order of the scheme after a mirror image.
MIRROR_ORDER_68 = _mirror_order()
