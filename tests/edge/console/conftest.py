import shutil

import pytest


@pytest.fixture
def folder_of_sample(sample, tmp_path, monkeypatch):
    """A folder with `photo.jpg`, which is the working folder."""
    shutil.copy(sample, tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path
