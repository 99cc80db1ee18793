import io
import os

import pytest

pytest.importorskip("ray")

import pyarrow as pa
from PIL import Image

from benchmarks.bulk_jobs.fault_injection import read_rows
from edge.bulk.ray_dataset import PhotoMapper
from edge.bulk.rows import make_schema
from edge.errors import SourceError
from edge.image import load_grey


class FakeDetector:
    keypoint_names = ("nose_tip",)
    points68 = False

    def load(self, photo):
        return load_grey(photo)

    def detect_faces(self, grey):
        return None

    def predict_faces(self, greys, detections):
        return [[] for _ in greys]


def encoded():
    file = io.BytesIO()
    Image.new("L", (3, 2)).save(file, "PNG")
    return file.getvalue()


def statuses(table):
    return [(row["image"], row["status"], row["reason"]) for row in table.to_pylist()]


def test_a_batch_of_bytes_or_addresses_is_mapped_to_rows(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded())
    address = str(tmp_path / "a.jpg")
    names = pa.array(["a", "b"])
    rows = PhotoMapper(FakeDetector(), "data")(
        pa.table({"image": names, "data": [encoded(), None]})
    )
    assert rows.schema == make_schema(["nose_tip"])
    assert statuses(rows) == [
        ("a", "no face", None), ("b", "failed", "the row holds no bytes and no address"),
    ]  # fmt: skip
    batch = pa.table({"image": names, "at": [address, str(tmp_path / "none.jpg")]})
    rows = PhotoMapper(FakeDetector(), "at")(batch)
    assert statuses(rows) == [("a", "no face", None), ("b", "failed", "no such file")]


def test_a_struct_of_bytes_or_a_path_is_mapped_to_rows(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded())
    values = [
        {"bytes": encoded(), "path": "no.jpg"},
        {"bytes": None, "path": str(tmp_path / "a.jpg")},
    ]
    batch = pa.table({"path": pa.array(["a", "b"]).dictionary_encode(), "image": values})
    rows = PhotoMapper(FakeDetector(), "image")(batch)
    assert statuses(rows) == [("a", "no face", None), ("b", "no face", None)]


def test_a_dataset_without_names_is_an_error():
    with pytest.raises(SourceError, match="with read_images, give include_paths=True"):
        PhotoMapper(FakeDetector(), "image")(pa.table({"image": [b"x"]}))


def test_a_missing_column_is_an_error():
    with pytest.raises(SourceError, match=r"no column 'at'; received \['image'\]"):
        PhotoMapper(FakeDetector(), "at")(pa.table({"image": ["a"]}))


@pytest.mark.slow
def test_process_has_the_rows_of_the_command(run_on_cluster, expected):
    output = run_on_cluster("""
        import ray.data
        import pyarrow.parquet
        photos = list_photos(["in"]).photos
        items = [
            {"image": p.name, "at": p.address, "data": open(p.address, "rb").read()}
            for p in photos
        ]
        for column in ("at", "data"):
            rows = edge.bulk.process(ray.data.from_items(items), column)
            pyarrow.parquet.write_table(pyarrow.concat_tables(
                rows.iter_batches(batch_format="pyarrow")), column + ".parquet")
    """)
    assert os.path.isfile("data.parquet"), output
    for column in ("at", "data"):
        assert read_rows(f"{column}.parquet").to_pylist() == expected


@pytest.mark.slow
def test_reading_has_a_core_whatever_the_number_of_workers(run_on_cluster, expected):
    output = run_on_cluster("""
        import ray.data
        where = __import__("os").path.abspath("in")
        photos = ray.data.read_binary_files(where, include_paths=True, override_num_blocks=4)
        rows = edge.bulk.process(photos.rename_columns({"path": "image"}), "bytes", workers=2)
        print(sorted(row["status"] for row in rows.take_all()))
    """)
    assert str(["face"] * 5 + ["failed"] * 2) in output


@pytest.mark.slow
def test_a_column_of_neither_bytes_nor_addresses_fails(run_on_cluster):
    output = run_on_cluster("""
        import ray.data
        rows = edge.bulk.process(ray.data.from_items([{"image": "a", "at": [1, 2]}]), "at")
        print([(row["image"], row["status"], row["reason"]) for row in rows.take_all()])
    """)
    assert "[('a', 'failed', 'the row holds no bytes and no address')]" in output


@pytest.mark.parametrize("missing", ["ray", "pyarrow", "fsspec"])
def test_process_names_the_extra_that_is_not_installed(run_python, missing):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from edge.bulk import process; from edge.errors import MissingExtra\n"
        "try: process(None)\nexcept MissingExtra as error: print(error)"
    )
    output = run_python("-c", code).stdout.decode()
    assert output.startswith(f"edge.bulk.process needs {missing} (")
    assert output.endswith("; install it with: pip install 'edge-keypoints[ray]'\n")


@pytest.mark.slow
def test_images_that_ray_has_decoded_have_the_rows_of_their_files(run_on_cluster, expected):
    output = run_on_cluster("""
        import ray.data
        from PIL import Image
        for name, mode in (("0", "L"), ("1", "RGBA"), ("2", "LA")):
            Image.open(f"in/{name}.png").convert(mode).save(f"in/{name}.png")
        paths = [__import__("os").path.abspath(f"in/{number}.png") for number in range(5)]
        images = ray.data.read_images(paths, include_paths=True)
        rows = edge.bulk.process(images).take_all()
        print(sorted((row["image"].rpartition("/")[2], row["status"]) for row in rows))
    """)
    assert str([(f"{number}.png", "face") for number in range(5)]) in output
