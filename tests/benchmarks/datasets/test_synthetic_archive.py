import pytest
from PIL import Image

from benchmarks.datasets.sample import SAMPLE
from benchmarks.datasets.synthetic_archive import INVALID_FILES, make_archive
from edge.errors import ImageError
from edge.image import load_image


def test_every_fiftieth_file_is_invalid_and_the_rest_are_images(tmp_path):
    assert make_archive(tmp_path, 100) == 2
    paths = sorted(tmp_path.rglob("*.jpg"))
    assert [path.name for path in paths] == [f"{number:06}.jpg" for number in range(100)]
    assert paths[49].read_bytes() == INVALID_FILES[0]()
    assert paths[99].read_bytes() == INVALID_FILES[1]()
    for path in paths[:49]:
        with Image.open(path) as image:
            assert 240 <= max(image.size) <= 800


def test_archives_are_reproducible_and_split_into_folders(tmp_path):
    for name in ("a", "b"):
        make_archive(tmp_path / name, 3)
    for number in range(3):
        first, second = (tmp_path / name / "000" / f"{number:06}.jpg" for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()


def test_photos_are_cut_from_the_given_folder(tmp_path):
    source = tmp_path / "photos" / "deep"
    source.mkdir(parents=True)
    Image.new("RGB", (300, 200), (200, 0, 0)).save(source / "red.jpg")
    make_archive(tmp_path / "archive", 1, tmp_path / "photos")
    red, green, blue = load_image(tmp_path / "archive" / "000" / "000000.jpg").mean(axis=(0, 1))
    assert red > 50 > 10 > max(green, blue)


@pytest.mark.parametrize("make", INVALID_FILES)
def test_invalid_files_cannot_be_decoded(make):
    with pytest.raises(ImageError):
        load_image(make())


def test_the_sample_is_the_packages_photo():
    assert load_image(SAMPLE).shape == (512, 512, 3)
