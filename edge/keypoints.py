"""The names of the 15 keypoints, their order and their mirror images, and the 68 points' parts.

The scheme is that of Kaggle's *Facial Keypoints Detection*. Left and right are the subject's: the
left eye is on the right of the image. Coordinates are pixels with the origin at the top left, x
to the right, y down, and **pixel centres at integers**: the top-left pixel covers −0.5 to 0.5.
"""

KEYPOINT_NAMES = (
    "left_eye_center",
    "right_eye_center",
    "left_eye_inner_corner",
    "left_eye_outer_corner",
    "right_eye_inner_corner",
    "right_eye_outer_corner",
    "left_eyebrow_inner_end",
    "left_eyebrow_outer_end",
    "right_eyebrow_inner_end",
    "right_eyebrow_outer_end",
    "nose_tip",
    "mouth_left_corner",
    "mouth_right_corner",
    "mouth_center_top_lip",
    "mouth_center_bottom_lip",
)


def mirrored_name(name: str) -> str:
    """The name of a keypoint in the mirrored image."""
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in name.split("_"))


# keypoints[MIRROR_ORDER] puts mirrored keypoints back into the order of their names.
MIRROR_ORDER = tuple(KEYPOINT_NAMES.index(mirrored_name(name)) for name in KEYPOINT_NAMES)
OUTER_EYE_CORNERS = (
    KEYPOINT_NAMES.index("left_eye_outer_corner"),
    KEYPOINT_NAMES.index("right_eye_outer_corner"),
)

# The 68 points of 300-W (Sagonas et al., 2013), which dlib predicts too, have no names but numbers
# from 0. The lines that they form: the first point, the last one, and whether the line is closed.
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
