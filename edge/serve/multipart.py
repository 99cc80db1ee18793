"""Parsing of `multipart/form-data` in memory: no upload is ever written to disk.

python-multipart's low-level parser is used, and not Starlette's `MultiPartParser` on top of it,
which cannot keep what this server promises (compared with Starlette 1.10): it reports broken forms
(400) and forms with too many parts (413) by one exception without a status; it returns a form that
is cut off as one without its last file, as it does not see whether the closing boundary came; it
needs a subclass to keep files above 1 MB out of temporary files; and it rejects file parts without
a name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

from edge.errors import first_line

UNNAMED = "picture"  # the `image` in the results of an upload without a file name
_MAX_FIELDS = 16  # parts that are not files


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file: its name, as the client gives it, and its content."""

    name: str
    data: bytes


@dataclass(slots=True)
class _Part:
    """A part of a form while it is parsed."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    file_name: bytes | None = None  # None for a field that is no file


class _FormReader:
    """Collects the files of a form; its `on_…` methods are the parser's callbacks."""

    def __init__(self, max_files: int) -> None:
        self.files: list[_Part] = []
        self.complete = False
        self._max_files = max_files
        self._field_count = 0
        self._part = _Part()
        self._header_name = b""
        self._header_value = b""

    def parse(self, body: bytes, boundary: bytes) -> None:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self.on_part_begin,
                "on_header_field": self.on_header_field,
                "on_header_value": self.on_header_value,
                "on_header_end": self.on_header_end,
                "on_headers_finished": self.on_headers_finished,
                "on_part_data": self.on_part_data,
                "on_end": self.on_end,
            },
        )
        parser.write(body)

    def on_part_begin(self) -> None:
        self._part = _Part()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def on_header_end(self) -> None:
        self._part.headers[self._header_name.lower()] = self._header_value
        self._header_name = b""
        self._header_value = b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        self._part.file_name = options.get(b"filename")
        if self._part.file_name is None:
            self._field_count += 1
        else:
            self.files.append(self._part)
        if len(self.files) > self._max_files:
            raise HTTPException(
                413, f"the form has too many files; expected at most {self._max_files}"
            )
        if self._field_count > _MAX_FIELDS:
            raise HTTPException(
                413, f"the form has too many fields besides files; expected at most {_MAX_FIELDS}"
            )

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.file_name is not None:
            self._part.chunks.append(data[start:end])

    def on_end(self) -> None:
        self.complete = True


def parse_form(body: bytes, content_type: str, max_files: int) -> list[Upload]:
    """Parse a form; fields that are not files are ignored.

    Args:
        body: the complete body.
        content_type: the Content-Type header of the request, with the boundary.
        max_files: how many files the form may have.

    Returns:
        The files, in order.

    Raises:
        HTTPException: 400 for a malformed or truncated form, 413 for too many parts, 422 for a
            form without files.
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if boundary is None:
        raise HTTPException(400, "the Content-Type header of the form has no boundary")
    reader = _FormReader(max_files)
    try:
        reader.parse(body, boundary)
    except FormParserError as error:
        raise HTTPException(400, f"the form is malformed ({first_line(error)})") from error
    if not reader.complete:
        raise HTTPException(400, "the form is truncated: its closing boundary is missing")
    if not reader.files:
        raise HTTPException(422, "the form has no file; send each image as a file part")
    return [_to_upload(part) for part in reader.files]


def _to_upload(part: _Part) -> Upload:
    name = (part.file_name or b"").decode("utf-8", "replace")
    return Upload(name or UNNAMED, b"".join(part.chunks))
