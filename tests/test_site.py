"""The pages of the documentation's site against the code that they describe."""

import ast
import json
import re

import pytest

import edge
from tests.conftest import ROOT

DOCS = ROOT / "docs"
GAP = "…"


def texts():
    """All texts of `edge`, with a gap for each value that is filled in."""
    for path in (ROOT / "edge").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (v.value if isinstance(v, ast.Constant) else GAP for v in node.values)
                yield "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_message_of_the_troubleshooting_page_is_one_of_the_code():
    page = (DOCS / "troubleshooting.md").read_text("utf-8")
    messages = re.findall(r"^### `(.+)`$", page, re.MULTILINE)
    known = "\n".join(texts())
    assert len(messages) > 20
    for message in messages:
        for part in re.split(rf"{GAP}|; ", message):
            part = part.strip(" :;()[]'")
            assert part in known, f"{message}: {part!r}"


def test_every_public_name_is_in_the_api_reference():
    page = (DOCS / "api.md").read_text("utf-8")
    described = {name.rpartition(".")[2] for name in re.findall(r"^::: ([\w.]+)$", page, re.M)}
    assert set(edge.__all__) - described - {"__version__"} == set()


def test_the_table_of_the_api_reference_has_the_first_sentences_of_docstrings():
    page = (DOCS / "api.md").read_text("utf-8")
    for name in edge.__all__:
        if callable(member := getattr(edge, name)):
            assert f"| `edge.{name}` | {member.__doc__.strip().splitlines()[0]} |\n" in page


def test_the_smaller_network_gains_what_the_guide_says():
    page = (DOCS / "guides" / "accuracy-or-speed.md").read_text("utf-8")
    results = json.loads((ROOT / "benchmarks" / "results" / "latency.json").read_text("utf-8"))
    times = {row["what"]: row["p50_ms"] for row in results["single_stream"] if row["threads"] == 1}
    ways = [row for row in results["peers"] if "latency" in row and row["threads"] == 1]
    photo = {row["way"]: row["latency"]["p50_ms"] for row in ways}
    for precision, suffix in (("int8", ".int8"), ("fp32", "")):
        full, small = (times[f"{name}{suffix}.onnx"] for name in ("keypoints", "keypoints-small"))
        whole = photo[f"edge {precision}"]
        sentence = f"{small:.2f} ms instead of {full:.2f} ms in {precision}, of {whole:.1f} ms"
        assert sentence in " ".join(page.split()), sentence


def test_the_members_that_the_api_reference_names_exist():
    page = (DOCS / "api.md").read_text("utf-8")
    (members,) = re.findall(r"members: \[(.*)\]", page)
    public = {name for name in vars(edge.FaceKeypoints) if not name.startswith("_")}
    named = set(members.split(", "))
    assert public <= named
    for name in named - public:
        assert hasattr(edge.FaceKeypoints, name) or f" {name}:" in edge.FaceKeypoints.__doc__, name


PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(
    "page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(DOCS))
)
def test_the_python_of_a_page_is_valid_and_uses_names_that_exist(page):
    for code in PYTHON.findall(page.read_text("utf-8")):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "edge":
                assert node.attr in edge.__all__ or node.attr == "bulk", node.attr


COMMAND = re.compile(r"^ *(?:uvx )?edge-keypoints +(.*?)(?: +#.*)?$", re.MULTILINE)


@pytest.mark.parametrize("page", sorted((DOCS / "guides").glob("*.md")), ids=lambda page: page.name)
def test_the_commands_of_a_guide_are_read_by_their_parsers(page):
    import shlex

    from edge.console.command import PROG
    from edge.console.parser import make_parser

    parser = make_parser(PROG)
    commands = COMMAND.findall(page.read_text("utf-8"))
    for command in commands:
        words = shlex.split(command.partition(" > ")[0].partition(" | ")[0])
        if words[0] not in ("run", "serve", "bulk", "info", "completion"):
            words = ["run", *words]
        parser.parse_args(words)


def test_the_figures_of_the_comparison_are_those_measured():
    page = (DOCS / "comparison.md").read_text("utf-8")
    rows = json.loads((ROOT / "benchmarks" / "results" / "latency.json").read_text("utf-8"))
    peers = {row["way"]: row for row in rows["peers"] if row["threads"] == 1}
    columns = ["edge int8", "MediaPipe Face Mesh", "dlib, 68 points", "YuNet, 320 px",
               "Haar default"]  # fmt: skip

    def cells(name):
        line = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", page, re.MULTILINE)[1]
        return [cell.strip() for cell in line.split("|")][: len(columns)]

    for cell, way in zip(cells("a photo, one core"), columns, strict=True):
        digits = 1 if peers[way]["latency"]["p50_ms"] < 10 else 0
        assert cell.startswith(f"{peers[way]['latency']['p50_ms']:.{digits}f} ms"), way
    for cell, way in zip(cells("installed"), columns, strict=True):
        assert cell == f"{peers[way]['installed_mb']:.0f} MB", way
    for cell, way in zip(
        cells("error on HELEN"), ["edge fp32", "MediaPipe Face Mesh, refined", *columns[2:4]],
        strict=False,
    ):  # fmt: skip
        assert cell.startswith(f"{peers[way]['accuracy']['error']:.2%}".replace("%", " %")), way
    card = (ROOT / "MODEL_CARD.md").read_text("utf-8")
    for cell in cells("error on LFPW, 15 points")[:3]:
        assert cell.replace(" %", "%") in card


EXTERNAL = re.compile(r"\]\((?:<?)(https?:[^)\s>]*)|<(https?:[^>]*)>")


@pytest.mark.parametrize(
    "page",
    [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_external_links_are_well_formed(page):
    from urllib.parse import urlsplit

    for found in EXTERNAL.findall(page.read_text("utf-8")):
        link = "".join(found)
        parts = urlsplit(link)
        assert parts.scheme == "https", link
        assert re.fullmatch(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc), link
        assert re.fullmatch(r"[!-~]*", link), link
        assert parts.username is None, link


def test_the_pts_files_of_the_guide_are_read_for_training(sample, tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    import numpy as np
    from PIL import Image

    from train.data.sources import read_annotations

    (tmp_path / "photos").mkdir()
    Image.open(sample).save(tmp_path / "photos" / "a.jpg", quality=95)
    page = (DOCS / "guides" / "annotation-tools.md").read_text("utf-8")
    (code,) = (code for code in PYTHON.findall(page) if ".pts" in code)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    (photo,) = read_annotations("photos")
    [face] = edge.FaceKeypoints()("photos/a.jpg")
    # The corners of the eyes and the mouth are the same points in both schemes.
    corners = [edge.KEYPOINT_NAMES.index(f"{side}_eye_outer_corner") for side in ("left", "right")]
    apart = np.linalg.norm(photo.keypoints[corners] - face.keypoints[corners], axis=1)
    assert apart.max() < 3
