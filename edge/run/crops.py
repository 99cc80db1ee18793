"""Files of crops: faces that are cut out already, which go to the keypoint network as they are."""

from __future__ import annotations

from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.records import faces_of_crops
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
        return [(crops, faces_of_crops(detect.crops(crops.images), size)) for crops in batches]

    def write(result: tuple[CropBatch, list[Face]]) -> None:
        crops, faces = result
        reporter.record_crops(path, size, crops.numbers.tolist(), faces)
        counts.append(len(faces))
        reporter.advance(len(faces))

    with reporter.progress(path, 0, "crops"):
        run_pipeline(read_crops(path, size), predict, write)
    reporter.message(f"{path}: {sum(counts)} crops")
