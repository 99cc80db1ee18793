"""Adds to the site what is kept elsewhere: the documents of the root, and plots of the results.

The documents are written to be read in the repository. Here their links are led to the site's
pages; a link to any other file of the repository becomes its text.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
_DOCUMENTS = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "MODEL_CARD.md": "model-card.md",
    "SECURITY.md": "security.md",
}
_TEXTS = ("LICENSE", "LICENSE-WEIGHTS", "NOTICE")  # served as they are, with the suffix .txt
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
# After which generated block of which page a plot stands, and what it shows.
_PLOTS: dict[tuple[str, str], dict[str, str]] = {
    ("benchmarks.md", "models"): {"latency_curves": "Latency of the networks, one thread"},
    ("benchmarks.md", "peers"): {
        "accuracy_against_latency": "Error on HELEN against the time of a photo, one core",
        "error_curves": "Share of HELEN's faces within an error",
    },
    ("benchmarks.md", "offline"): {"throughput": "Faces a second by batch size"},
    ("benchmarks.md", "stages"): {"stages": "Median time of each stage of a photo"},
    ("model-card.md", "detection"): {"small_faces": "Faces found by their width, at 320 px"},
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents of the root and the plots."""
    for source, name in _DOCUMENTS.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text("utf-8")))
    for name in _TEXTS:
        text = (ROOT / name).read_text("utf-8")
        files.append(File.generated(config, f"{name}.txt", content=text))
    for name, svg in _draw_plots().items():
        files.append(File.generated(config, f"plots/{name}-light.svg", content=svg))
        files.append(File.generated(config, f"plots/{name}-dark.svg", content=_darken(svg)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead the links of a page to the site's files, and insert its plots."""
    uri = page.file.src_uri
    sources = {name: source for source, name in _DOCUMENTS.items()}
    folder = posixpath.dirname(sources.get(uri, f"docs/{uri}"))
    markdown = _LINK.sub(lambda match: _lead(match, folder, uri, files), markdown)
    for (name, block), plots in _PLOTS.items():
        if name == uri:
            marker = f"<!-- end of {block} -->"
            assert marker in markdown, f"{uri}: no block {block}"
            markdown = markdown.replace(marker, f"{marker}\n\n{_show(plots)}")
    return markdown


def _lead(match: re.Match[str], folder: str, uri: str, files: Files) -> str:
    image, text, target, anchor = match[1], match[2], match[3], match[4] or ""
    if re.match(r"\w+:", target):
        return match[0]
    path = posixpath.normpath(posixpath.join(folder, target))
    name = _DOCUMENTS.get(path, path.removeprefix("docs/"))
    if path in _TEXTS:
        name = f"{path}.txt"
    if files.get_file_from_path(name) is None:
        if not (ROOT / path).exists():
            return match[0]  # strict mode reports it
        return text
    return f"{image}[{text}]({posixpath.relpath(name, posixpath.dirname(uri) or '.')}{anchor})"


def _draw_plots() -> dict[str, str]:
    sys.path.insert(0, str(ROOT))
    from benchmarks.reporting import plots

    results = ROOT / "benchmarks" / "results"
    latency, detection = (
        json.loads((results / name).read_text("utf-8"))
        for name in ("latency.json", "detection.json")
    )
    drawn = {}
    for named in _PLOTS.values():
        for name in named:
            draw: Callable[[Any], str] = getattr(plots, name)
            drawn[name] = draw(detection if name == "small_faces" else latency)
    return {name: svg.replace("#ffffff", "none") for name, svg in drawn.items()}


def _darken(svg: str) -> str:
    """The same plot in colours for a dark background."""
    for light, dark in (("#000000", "#e0e0e0"), ("#0072b2", "#9d8cff"), ("#262626", "#e0e0e0")):
        svg = re.sub(light, dark, svg, flags=re.IGNORECASE)
    return svg.replace("<svg ", '<svg fill="#e0e0e0" ', 1)


def _show(plots: dict[str, str]) -> str:
    return "\n\n".join(
        f'<div class="plot" markdown>\n\n{text}:\n\n'
        f"![{text}](plots/{name}-light.svg#only-light)\n![{text}](plots/{name}-dark.svg#only-dark)"
        "\n\n</div>"
        for name, text in plots.items()
    )
