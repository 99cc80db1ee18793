import json

import numpy as np
from PIL import Image

from benchmarks.datasets.annotated_boxes import read_annotated_photos


def test_each_photo_has_the_boxes_of_all_its_faces(tmp_path):
    Image.new("RGB", (40, 30), (90, 90, 90)).save(tmp_path / "a.png")
    Image.new("L", (20, 10), 7).save(tmp_path / "b.png")
    lines = [
        {"image": "a.png", "faces": [{"box": [1, 2, 3, 4]}, {"box": [5, 6, 7, 8.5]}]},
        {"image": "b.png", "faces": []},
    ]
    (tmp_path / "annotations.jsonl").write_text("\n".join(map(json.dumps, lines)))
    first, second = read_annotated_photos(tmp_path)
    np.testing.assert_array_equal(first.grey, np.full((30, 40), 90))
    np.testing.assert_array_equal(first.boxes, np.float32([[1, 2, 3, 4], [5, 6, 7, 8.5]]))
    np.testing.assert_array_equal(second.grey, np.full((10, 20), 7))
    assert second.boxes.shape == (0, 4)
