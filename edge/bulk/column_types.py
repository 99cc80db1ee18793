"""Arrow's types of columns that hold photos: encoded bytes, addresses, and structs of both."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

BYTES, PATH = "bytes", "path"  # fields of the structs in which Hugging Face data sets store images

Content = Literal["bytes", "text", "bytes in structs", "text in structs", "lists of bytes"]


def content_of(dtype: pa.DataType) -> Content | None:
    """What the rows of a column hold; None if they cannot be photos.

    Large and view types, and dictionaries, which pandas writes for categories, are as plain ones.
    """
    dtype = _plain(dtype)
    if pa.types.is_struct(dtype):
        fields = {field.name: content_of(field.type) for field in dtype}
        if fields.get(BYTES) == "bytes":
            return "bytes in structs"
        return "text in structs" if fields.get(PATH) == "text" else None
    if _is_any(dtype, "string", "large_string", "string_view"):
        return "text"
    if _is_any(dtype, "binary", "large_binary", "binary_view"):
        return "bytes"
    is_list = _is_any(dtype, "list", "large_list", "list_view", "large_list_view")
    return "lists of bytes" if is_list and pa.types.is_uint8(dtype.value_type) else None


def photo_of(value: object) -> object:
    """The photo in a row's value: its bytes, or its address, or what else the value is."""
    if isinstance(value, dict):
        return value.get(PATH) if value.get(BYTES) is None else value[BYTES]
    return value


def _plain(dtype: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(dtype):
        return dtype.value_type
    return dtype.storage_type if isinstance(dtype, pa.BaseExtensionType) else dtype


def _is_any(dtype: pa.DataType, *names: str) -> bool:
    """Whether a type is one of those that these names stand for; older pyarrow lacks some."""
    tests = (getattr(pa.types, f"is_{name}", None) for name in names)
    return any(test is not None and test(dtype) for test in tests)
