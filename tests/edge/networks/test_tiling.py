import numpy as np
import pytest

from edge.networks.detections import Detections
from edge.networks.tiling import LONG_OVERLAP, SHORT_OVERLAP, are_cut, merge, tiles


@pytest.mark.parametrize(
    ("longer", "shorter"), [(640, 480), (1920, 1080), (2340, 1080), (500, 200), (3000, 5), (1, 1)]
)
def test_photos_and_films_are_searched_as_a_whole(longer, shorter):
    assert tiles(longer, shorter, 160) == []


def test_a_strip_has_a_row_of_short_tiles_and_a_row_of_long_ones():
    found = tiles(3200, 320, 160)
    assert found[0] == (0, 320)
    short, long = ([tile for tile in found if tile[1] == length] for length in (320, 640))
    assert len(found) == len(short) + len(long)
    assert (len(short), len(long)) == (13, 9)
    assert short[-1] == (2880, 320)
    assert long[-1] == (2560, 640)


def test_tiles_of_a_narrow_strip_are_not_enlarged_too_far():
    assert {length for _, length in tiles(1000, 20, 160)} == {160, 320}


@pytest.mark.parametrize("longer", [601, 750, 999, 1234, 5000])
def test_tiles_cover_the_strip_and_overlap(longer):
    for length, overlap in ((240, SHORT_OVERLAP), (480, LONG_OVERLAP)):
        row = [start for start, own in tiles(longer, 240, 160) if own == length]
        assert row[0] == 0
        assert row[-1] + length == longer
        assert np.diff(row).max() <= (1 - overlap) * length + 1


def test_boxes_at_the_border_of_a_tile_are_cut_unless_it_is_that_of_the_image():
    boxes = np.array([[100, 0, 50, 60], [101, 0, 50, 60], [105, 0, 50, 60], [150, 0, 50, 60]])
    assert are_cut(boxes, 0, (100, 100), 1000).tolist() == [True, False, False, True]
    assert are_cut(boxes - [100, 0, 0, 0], 0, (0, 100), 1000).tolist() == [
        False,
        False,
        False,
        True,
    ]
    assert are_cut(boxes, 0, (100, 100), 200).tolist() == [True, False, False, False]
    turned = boxes[:, [1, 0, 3, 2]]
    assert are_cut(turned, 1, (100, 100), 1000).tolist() == [True, False, False, True]


def test_a_face_found_in_two_tiles_is_merged_and_keeps_its_better_score():
    first = Detections(
        np.array([[0, 0, 10, 10], [50, 0, 10, 10]], np.float32),
        np.array([0.5, 0.9], np.float32),
        rolls=np.array([1.0, 2.0], np.float32),
    )
    second = Detections(
        np.array([[1, 0, 10, 10], [90, 0, 10, 10]], np.float32),
        np.array([0.8, 0.7], np.float32),
        rolls=np.array([3.0, 4.0], np.float32),
    )
    merged = merge([first, second])
    assert merged.boxes[:, 0].tolist() == [50, 1, 90]
    assert merged.scores.tolist() == pytest.approx([0.9, 0.8, 0.7])
    assert merged.rolls.tolist() == [2, 3, 4]
    assert merge([first, Detections(second.boxes, second.scores)]).rolls is None
