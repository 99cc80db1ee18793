"""Forms with files in them (`multipart/form-data`), read in memory: no file is ever written."""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from edge.serve.limits import Refusal

_MOST_FIELDS = 16  # beside files


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent: what its sender calls it, and its bytes."""

    name: str
    data: bytes


@dataclass(slots=True)
class _Part:
    """A part of a form: its headers as they come in, and its bytes."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    data: list[bytes] = field(default_factory=list)
    name: bytes | None = None  # of the file that it is


class _Reader:
    """Collects the files of one form; the parser calls its methods."""

    def __init__(self, most: int) -> None:
        self.files: list[_Part] = []
        self.ended = False
        self._most, self._fields = most, 0
        self._part = _Part()
        self._header = self._value = b""

    def on_part_begin(self) -> None:
        self._part = _Part()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._part.headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        self._part.name = options.get(b"filename")
        if self._part.name is None:
            self._fields += 1
        else:
            self.files.append(self._part)
        if len(self.files) > self._most:
            raise Refusal(413, f"the form holds too many files; expected at most {self._most}")
        if self._fields > _MOST_FIELDS:
            raise Refusal(413, f"the form holds too many fields beside the files; {_MOST_FIELDS}"
                          " are allowed")  # fmt: skip

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.name is not None:
            self._part.data.append(data[start:end])

    def on_end(self) -> None:
        self.ended = True


def read_form(body: bytes, content_type: str, most: int) -> list[Upload]:
    """The files of a form; other fields are passed over.

    Args:
        body: the whole form.
        content_type: of the request, which tells the boundary.
        most: how many files it may hold.

    Raises:
        Refusal: 400 for a broken form, 413 for too many parts, 422 where there is no file.
    """
    _, options = parse_options_header(content_type)
    reader = _Reader(most)
    calls = {name: getattr(reader, name) for name in dir(_Reader) if name.startswith("on_")}
    try:
        parser = MultipartParser(options[b"boundary"], calls)  # type: ignore[arg-type]
        parser.write(body)
    except KeyError as error:
        raise Refusal(400, "the form's content type names no boundary") from error
    except FormParserError as error:
        raise Refusal(400, f"the form is broken ({error})") from error
    if not reader.ended:
        raise Refusal(400, "the form is cut off")
    if not reader.files:
        raise Refusal(422, "the form holds no file; send each picture as a file part")
    return [
        Upload((part.name or b"").decode("utf-8", "replace") or "picture", b"".join(part.data))
        for part in reader.files
    ]
