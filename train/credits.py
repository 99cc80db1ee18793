"""`python -m train.credits DATA`: the notice that goes with weights trained on permissive photos.

Names every set of `permissive/annotations.jsonl` with its licence, its number of pictures and where
they come from, as CC BY and MIT ask for, and what else these recipes learn from. A set
whose licence is not known to let anyone use the pictures is an error.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from edge.files import write_atomically
from train.data.labelled_sources import read_rows
from train.errors import DataError
from train.exit_status import report

# Licences by the words that their names begin with, and where their texts are; the first that fits.
_LICENCES = {
    "public domain": "",
    "CC0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC BY": "https://creativecommons.org/licenses/",
    "MIT": "https://opensource.org/license/mit",
}
_NOT_PERMISSIVE = re.compile(r"CC BY-?\s?(NC|ND|SA)")  # begin like one that is
# On GitHub: `owner/name blob HASH:path` or `owner/name@COMMIT:path`.
_SOURCE = re.compile(r"([\w.-]+/[\w.-]+)(?:@\w+| blob \w+):(.+)")
_WIDTH = 98  # characters of a line

_INTRODUCTION = """\
The files in edge/models/, and those in export/models/ that they were made from, hold the weights
of neural networks. Anyone may use, change and distribute them for any purpose, also commercially,
under the terms of the Apache License 2.0, as the code (LICENSE), without warranty of any kind.

The networks in export/models/research/, which are not part of the package, are not covered by this.
They were trained on the research sets LFPW, YouTube Faces, LFW and AFLW and on the data of Kaggle's
competition "Facial Keypoints Detection", and may be used for research and evaluation only, without
warranty of any kind.

The networks were trained on the pictures listed below, whose terms let anyone use them, and on
views rendered from these. The pictures were cropped, made grey, rotated, relit and otherwise
changed; the weights contain none of them. Where a licence asks for credit, this notice gives it.
A licence of a picture says nothing about the rights of the person that it shows: personality rights
remain, and this notice grants none.
"""
_OTHERS = """\
Also learnt from

- Face Mask Detection: photos of crowds with hand-drawn boxes. MIT.
- Pictures without faces, of the same collection as those above.

Labels were predicted by MediaPipe Face Mesh and YuNet (Apache License 2.0). MediaPipe's mesh was
mapped to the 15 keypoints and the 68 points by a ridge regression that was fitted on the published
annotations of Kaggle's "Facial Keypoints Detection" and of LFPW; no pixel of those sets was used.
The radius of a keypoint is scaled by a factor that was measured on 571 rows of Kaggle's training
file; no weight was learnt from them. Where faces and other things to tell apart were cut out of the
pictures above, for the face score, was chosen by an earlier face detector, which was trained on the
research sets named above.

The sample picture edge/data/astronaut.jpg is a NASA photo in the public domain.
"""


@dataclass(slots=True)
class _Set:
    """The pictures of one set.

    Attributes:
        licence: as the annotations name it.
        pictures: their number.
        folders: by origin, an address, the folders that the pictures are in.
    """

    licence: str
    pictures: int = 0
    folders: dict[str, set[str]] = field(default_factory=dict)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.credits",
        description="Write the notice for weights trained on photos under permissive licences.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with permissive/annotations.jsonl")
    add("-o", "--output", metavar="FILE", type=Path, help="file (default: standard output)")
    return parser.parse_args(argv)


def make_notice(folder: Path) -> str:
    """The notice for the sets in a folder.

    Args:
        folder: contains `permissive/annotations.jsonl`, whose lines have `set`, `licence` and
            `source`.

    Raises:
        DataError: the file is missing or malformed, or a licence is not permissive.
    """
    sets = _read_sets(folder)
    pictures = "\n".join(_describe(name, sets[name]) for name in sorted(sets))
    return "\n".join([_INTRODUCTION, f"Pictures\n\n{pictures}\n", _OTHERS])


def _read_sets(folder: Path) -> dict[str, _Set]:
    sets: dict[str, _Set] = {}
    for where, row in read_rows(folder / "permissive"):
        try:
            name, licence, source = (str(row[key]) for key in ("set", "licence", "source"))
        except KeyError as error:
            raise DataError(
                f"{where}: {error} is missing; credits need set, licence and source"
            ) from error
        _check_licence(licence, where)
        pictures = sets.setdefault(name, _Set(licence))
        if licence != pictures.licence:
            raise DataError(
                f"{where}: the licence {licence!r}, and before {pictures.licence!r}; expected one "
                f"licence for the set {name}"
            )
        pictures.pictures += 1
        origin, path = _origin(source)
        pictures.folders.setdefault(origin, set()).add(str(PurePosixPath(path).parent))
    if not sets:
        raise DataError(f"{folder / 'permissive'}: no pictures to give credit for")
    return sets


def _check_licence(licence: str, where: str) -> None:
    if not licence.startswith(tuple(_LICENCES)) or _NOT_PERMISSIVE.match(licence):
        raise DataError(
            f"{where}: the licence {licence!r} is not known to let anyone use the picture; "
            f"expected one that begins with {', '.join(_LICENCES)}"
        )


def _origin(source: str) -> tuple[str, str]:
    """The address of a picture's repository and its path there; else the source itself."""
    match = _SOURCE.fullmatch(source)
    return (f"https://github.com/{match[1]}", match[2]) if match else (source, "")


def _describe(name: str, pictures: _Set) -> str:
    """The paragraph of a set: licence, number of pictures, origin."""
    licence = pictures.licence
    address = next(text for words, text in _LICENCES.items() if licence.startswith(words))
    terms = f"{licence}, {address}" if address else licence
    lines = [f"- {name}: {pictures.pictures} pictures. {terms}."]
    for origin, folders in sorted(pictures.folders.items()):
        # CC BY asks for the creator and the work; elsewhere the repository says enough.
        places = ", ".join(sorted(folders)) if licence.startswith("CC BY") else ""
        owner = origin.removeprefix("https://github.com/").partition("/")[0]
        credit = f"Credit: {owner}, {origin}, in {places}." if places else f"From {origin}."
        lines.append(credit)
    return "\n".join(
        line
        for text in lines
        for line in textwrap.wrap(
            text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False,
            initial_indent="" if text.startswith("- ") else "  ",
        )
    )  # fmt: skip


def run(folder: Path, output: Path | None) -> str:
    """Write the notice; returns what is to be printed: the notice itself without a file."""
    notice = make_notice(folder)
    if output is None:
        return notice.rstrip()
    with write_atomically(output) as part:
        part.write_text(notice, encoding="utf-8")
    return f"{output}: {len(notice.splitlines())} lines"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: run(args.data, args.output))


if __name__ == "__main__":
    sys.exit(main())
