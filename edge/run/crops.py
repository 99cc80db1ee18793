"""Files of crops: faces that are cut out already, which go to the keypoint network as they are."""

from __future__ import annotations

import numpy as np

from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.run.crop_files import CropBatch, read_crops
from edge.run.pipeline import run_pipeline
from edge.run.reporter import Reporter


def process_crops(detect: FaceKeypoints, reporter: Reporter, path: str) -> None:
    """Predict the keypoints of all crops of a file, and write them to the tables.

    Args:
        detect: predicts the keypoints.
        reporter: receives the results.
        path: as `edge.run.crop_files.read_crops`.

    Raises:
        ImageError, SourceError: as `read_crops`.
    """
    size = detect.model.size
    counts = []

    def predict(batches: list[CropBatch]) -> list[tuple[CropBatch, list[Face]]]:
        return [(crops, _predict(detect, crops)) for crops in batches]

    def write(result: tuple[CropBatch, list[Face]]) -> None:
        crops, faces = result
        reporter.record_crops(path, size, crops.numbers.tolist(), faces)
        counts.append(len(faces))
        reporter.advance(len(faces))

    with reporter.progress(path, 0, "crops"):
        run_pipeline(read_crops(path, size), predict, write)
    reporter.message(f"{path}: {sum(counts)} crops")


def _predict(detect: FaceKeypoints, crops: CropBatch) -> list[Face]:
    prediction = detect.crops(crops.images)
    side = float(crops.images.shape[1])
    box = np.array([0, 0, side, side], np.float32)  # px: the whole crop
    return [
        Face(box, float(score), keypoints, error)
        for keypoints, error, score in zip(*prediction, strict=True)
    ]
