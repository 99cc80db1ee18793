"""The files for annotation tools of a run, written when all its images are processed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.cli.filenames import STDIO
from edge.errors import SourceError, first_line
from edge.face import Face
from edge.files import write_atomically
from edge.formats.annotations import WRITERS, relative_name, to_labelme
from edge.formats.names import written_name
from edge.records import face_record


@dataclass(slots=True)
class AnnotationFiles:
    """Collects the faces of still images for annotation tools.

    Attributes:
        paths: of the files, by the name of their format in `WRITERS`.
        labelme: folder of LabelMe's files, one for each image; None for none.
    """

    paths: dict[str, Path]
    labelme: Path | None = None
    _records: list[dict[str, Any]] = field(default_factory=list)

    def check(self, inputs: Sequence[str]) -> None:
        """Raise SourceError if a file is one of the inputs or a folder, or two are the same."""
        several = len({path.resolve() for path in self.paths.values()}) < len(self.paths)
        for path in self.paths.values():
            if several or path.is_dir() or _is_one_of(path, inputs):
                raise SourceError(f"{path}: is a folder, another input or output; choose another")

    def add(self, image: str, size: tuple[int, int], faces: Sequence[Face]) -> None:
        """Add an image that is a file, with its size (width, height) in px and its faces."""
        if (self.paths or self.labelme) and image != STDIO:
            records = [face_record(face, number) for number, face in enumerate(faces)]
            width, height = size
            self._records.append(
                {"image": image, "width": width, "height": height, "faces": records}
            )

    def write(self) -> None:
        """Write all files.

        Raises:
            SourceError: one cannot be written.
        """
        for name, path in self.paths.items():
            records = [
                {**record, "image": written_name(relative_name(record["image"], path.parent))}
                for record in self._records
            ]
            _write(path, WRITERS[name](records))
        stems: set[str] = set()
        for record in self._records if self.labelme else ():
            assert self.labelme is not None
            path = self.labelme / f"{_unique(Path(record['image']).stem, stems)}.json"
            image = written_name(relative_name(record["image"], self.labelme))
            _write(path, to_labelme(record, image))


def _is_one_of(path: Path, names: Sequence[str]) -> bool:
    return path.exists() and any(Path(n).exists() and path.samefile(n) for n in names)


def _unique(stem: str, used: set[str]) -> str:
    name, number = stem, 2
    while name in used:
        name, number = f"{stem}-{number}", number + 1
    used.add(name)
    return name


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as part:
            part.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise SourceError(f"{path}: cannot be written ({first_line(error)})") from error
