import ast
import collections
import importlib.resources
import sys
import types

import pytest

import edge
from tests.conftest import ROOT

# The one table of folders: which packages each may import, beside itself. `core` is every module
# directly in edge/; `image` and `base` are those of them that the lower packages may use.
BASE = {"errors", "extras", "keypoints"}
IMAGE = BASE | {"image", "crop", "resize", "files"}
CORE = "core"
IMPORTS = {
    "edge._pyinstaller": set(),
    "edge.geometry": BASE,
    "edge.formats": BASE | {"image", "crop", "face", "edge.geometry"},
    "edge.evaluation": BASE | {"edge.geometry"},
    "edge.networks": IMAGE | {"edge.geometry"},
    "edge": {"edge.formats", "edge.geometry", "edge.networks"},
    "edge.video": {CORE, "edge.formats", "edge.geometry", "edge.networks"},
    "edge.analysis": {CORE, "edge.formats", "edge.geometry", "edge.networks", "edge.video"},
    "edge.cli": {CORE, "edge.formats", "edge.networks"},
    "edge.run": {
        CORE,
        "edge.analysis",
        "edge.formats",
        "edge.geometry",
        "edge.networks",
        "edge.video",
        "edge.cli",
    },
    "edge.serve": {
        CORE,
        "edge.analysis",
        "edge.formats",
        "edge.geometry",
        "edge.networks",
        "edge.video",
        "edge.cli",
    },
    "edge.console": {CORE, "edge.cli", "edge.run", "edge.serve", "edge.bulk"},
    "edge.bulk": {CORE, "edge.analysis", "edge.formats", "edge.networks", "edge.cli"},
    "train": {"edge"},
    "export": {"edge"},
    "benchmarks": {"edge"},
}
# Third-party packages of each folder; the rest of edge/ needs only the runtime's.
RUNTIME = {"numpy", "onnxruntime", "PIL", "cv2"}  # cv2 only inside functions
FORMATS = {"pillow_heif"}  # only inside functions
SERVE = {"fastapi", "prometheus_client", "pydantic", "python_multipart", "starlette", "uvicorn"}
THIRD_PARTY = {
    "edge._pyinstaller": {"PyInstaller"},
    "edge.formats": RUNTIME | FORMATS,
    "edge.serve": RUNTIME | SERVE | {"paho"},  # the latter only inside functions
    "edge.video": RUNTIME | {"av"},  # only inside functions
    "edge.bulk": RUNTIME | {"fsspec", "pyarrow", "ray"},
    "edge.console": RUNTIME | {"shtab"},  # only where completion scripts are generated
}
MAX_MODULES = 20  # of one folder


def test_exported_names_are_there_and_in_order():
    names = edge.__all__
    assert names == sorted(
        names, key=lambda n: (not n.isupper(), n.startswith("_") or n[0].islower(), n)
    )
    for name in names:
        assert getattr(edge, name) is getattr(edge, name)
        assert not isinstance(getattr(edge, name), types.ModuleType), name
    assert set(dir(edge)) == set(names)
    with pytest.raises(AttributeError, match="nothing"):
        edge.nothing  # noqa: B018


def modules(room):
    return sorted((ROOT / room).rglob("*.py"))


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def folder_of(name):
    """The row of the table that a module belongs to."""
    top, *rest = name.split(".")
    known = f"{top}.{rest[0]}" if rest else top
    return known if known in IMPORTS else top


def imported(path):
    """Absolute names of everything that a module imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_allowed(own, name):
    target, allowed = folder_of(name), IMPORTS[own]
    if target == own or target in allowed:
        return True
    if own not in ("train", "export", "benchmarks"):  # inside edge, `edge` is a list of modules
        _, stem, *_ = name.split(".")
        return target == "edge" and (
            CORE in allowed or stem in allowed or name == "edge.__version__"
        )
    return name.split(".")[0] in allowed


@pytest.mark.parametrize("room", ["edge", "train", "export", "benchmarks"])
def test_imports_follow_the_table_of_folders(room):
    for path in modules(room):
        own = folder_of(name_of(path))
        if path == ROOT / "edge" / "__init__.py":
            continue  # the public names, each imported when it is first used
        for name in imported(path):
            top = name.split(".")[0]
            if top in ("edge", "train", "export", "benchmarks"):
                assert is_allowed(own, name), f"{path} imports {name}"
            elif room == "edge" and top not in sys.stdlib_module_names:
                assert top in THIRD_PARTY.get(own, RUNTIME), f"{path} imports {name}"


def test_no_folder_holds_too_many_modules():
    for room in ("edge", "train", "export", "benchmarks"):
        counts = collections.Counter(path.parent for path in modules(room))
        assert max(counts.values(), default=0) <= MAX_MODULES, counts.most_common(1)


def test_the_path_of_a_still_photo_stays_readable():
    seen, pending = set(), ["edge.facekeypoints"]
    while pending:
        name = pending.pop()
        path = (ROOT / name.replace(".", "/")).with_suffix(".py")
        if name in seen or not path.is_file():
            continue
        seen.add(name)
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                pending += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    paths = [(ROOT / name.replace(".", "/")).with_suffix(".py") for name in seen]
    assert len(seen) <= 15, sorted(seen)
    assert sum(len(path.read_text("utf-8").splitlines()) for path in paths) <= 2190


def test_every_module_says_what_it_owns():
    for room in ("edge", "train", "export", "benchmarks"):
        for path in (ROOT / room).rglob("*.py"):
            assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


def test_the_type_marker_ships():
    assert (importlib.resources.files("edge") / "py.typed").is_file()
