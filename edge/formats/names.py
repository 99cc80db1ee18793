r"""Names of files as tables hold them: text in any encoding, unique, and read back exactly.

On Unix a name may hold bytes that are no text; Python has the byte `\xff` as the lone surrogate
U+DCFF, which no encoding takes and many readers of JSON refuse. What an encoding lacks is written
as Python writes it in a string: `\udcff`, or on a standard output in another encoding than UTF-8
`\xe9` or `\U0001f600`. Backslashes stay as they are, except those before such an escape, or before
text that looks like one: they are doubled. In UTF-8 that is `\udcff.jpg` where it is a file's own
name, written as `\\udcff.jpg`, and no path that is likely to occur, on Windows either.
"""

from __future__ import annotations

import re

_ESCAPE = r"(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})"
_BACKSLASHES = re.compile(rf"(\\*)(\\{_ESCAPE})|(\\*)([^\x00-\x7f])")
_WRITTEN = re.compile(rf"(\\+)({_ESCAPE})")


def written_name(name: str, encoding: str = "utf-8") -> str:
    """A name as a table holds it.

    Args:
        name: of a file, as Python has it.
        encoding: of the table.

    Returns:
        Text that the encoding has; of different names different texts.
    """

    def escape(match: re.Match[str]) -> str:
        before, lookalike, also_before, character = match.groups()
        if character is not None:
            if (escaped := _escaped(character, encoding)) == character:
                return match.group()
            return 2 * also_before + escaped
        number = int(lookalike[2:], 16)
        if number > 0x10FFFF or _escaped(chr(number), encoding) == chr(number):
            return match.group()  # no text that would be written so
        return 2 * before + "\\" + lookalike

    return _BACKSLASHES.sub(escape, name)


def _escaped(character: str, encoding: str) -> str:
    return character.encode(encoding, "backslashreplace").decode(encoding)


def read_name(text: str, encoding: str = "utf-8") -> str:
    """The name of a file from a table in an encoding: the inverse of `written_name`."""

    def unescape(match: re.Match[str]) -> str:
        backslashes, escape = match.groups()
        number = int(escape[1:], 16)
        if number > 0x10FFFF or _escaped(chr(number), encoding) == chr(number):
            return match.group()
        character = chr(number) if len(backslashes) % 2 else escape
        return "\\" * (len(backslashes) // 2) + character

    return _WRITTEN.sub(unescape, text)
