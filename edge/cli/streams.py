"""Standard output and error that take any text, whatever their encoding."""

from __future__ import annotations

import codecs
import io
import sys

_ERRORS = "edge.readable"
# What help and messages use beyond ASCII, for encodings that lack it.
_PLAIN = {
    "×": "x", "…": "...", "–": "-", "—": "-", "−": "-", "°": " degrees", "±": "+/-", "≤": "<=",
    "≥": ">=", "→": "->", "·": "*", "²": "^2", "³": "^3", "½": "1/2", "’": "'", "“": '"', "”": '"',
}  # fmt: skip


def make_streams_readable() -> None:
    """Let standard output and error write what their encoding lacks in plain characters.

    Names of files, which need not be valid text either, are written with backslashes there.
    """
    codecs.register_error(_ERRORS, _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _replace(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    character = error.object[error.start]
    if character in _PLAIN:
        return _PLAIN[character], error.start + 1
    single = UnicodeEncodeError(
        error.encoding, error.object, error.start, error.start + 1, error.reason
    )
    text, end = codecs.backslashreplace_errors(single)
    assert isinstance(text, str)
    return text, end
