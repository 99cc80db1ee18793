import ast
import importlib.resources
import sys
import types

import pytest

import edge
from tests.conftest import ROOT

ALLOWED = {"numpy", "onnxruntime", "PIL", "edge", "cv2"}
SERVER = {"fastapi", "prometheus_client", "pydantic", "python_multipart", "starlette", "uvicorn"}
# Only these need the extra `serve`, and only `edge.serve` imports them, when it is run.
BULK = {"fsspec", "pyarrow", "ray"}  # likewise of runs over archives
SERVED = {"counts", "forms", "listening", "routes", "schema", "service", "uploads"}


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


def test_errors_are_the_builtins_one_would_expect():
    assert issubclass(edge.ImageError, (edge.EdgeError, ValueError))
    assert issubclass(edge.ModelError, ValueError)
    assert issubclass(edge.SourceError, OSError)
    assert issubclass(edge.MissingExtra, ImportError)


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("room", ["edge", "train", "export", "benchmarks"])
def test_rooms_import_only_edge_and_themselves(room):
    for path in (ROOT / room).rglob("*.py"):
        tops = {name.split(".")[0] for name in imported(ast.parse(path.read_text("utf-8")))}
        assert not tops & ({"train", "export", "benchmarks"} - {room}), path
        if room == "edge":
            allowed = ALLOWED | (SERVER if path.stem in SERVED else set())
            if path.stem.startswith("bulk") or path.stem == "partitions":
                allowed = allowed | BULK
            assert tops - set(sys.stdlib_module_names) <= allowed, path


def test_every_module_says_what_it_owns():
    for room in ("edge", "train", "export", "benchmarks"):
        for path in (ROOT / room).rglob("*.py"):
            assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


def test_the_type_marker_ships():
    assert (importlib.resources.files("edge") / "py.typed").is_file()
