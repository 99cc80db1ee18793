"""The names of the 15 keypoints, their order and their mirror images.

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
