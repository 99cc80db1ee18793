import runpy
import sys
import types
from pathlib import Path

import pytest

from edge._pyinstaller import get_hook_dirs
from tests.conftest import ROOT

HOOK = "hook-edge.py"


def test_the_wheel_names_the_folder_of_the_hook():
    (folder,) = get_hook_dirs()
    assert (Path(folder) / HOOK).is_file()
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pyinstaller40"] == {
        "hook-dirs": "edge._pyinstaller:get_hook_dirs"
    }


@pytest.mark.parametrize("installed", [set(), {"cv2"}, {"cv2", "av"}])
def test_the_hook_collects_data_and_modules_that_are_imported_by_name(monkeypatch, installed):
    modules = ["edge.facekeypoints", "edge.bulk", "edge.serve.app", "edge.video.tracker"]
    hooks = types.ModuleType("PyInstaller.utils.hooks")
    hooks.collect_data_files = lambda package: [(f"{package}/models/face.onnx", "edge/models")]
    hooks.collect_submodules = lambda package, keep: [name for name in modules if keep(name)]
    for name in ("PyInstaller", "PyInstaller.utils"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "PyInstaller.utils.hooks", hooks)
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: object() if name in installed else None
    )
    hook = runpy.run_path(str(Path(get_hook_dirs()[0]) / HOOK))
    assert hook["datas"] == [("edge/models/face.onnx", "edge/models")]
    expected = {"edge.facekeypoints", "edge.video.tracker"} | installed
    assert set(hook["hiddenimports"]) == expected
