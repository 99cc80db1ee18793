import pytest

pytest.importorskip("pyarrow")

import pyarrow as pa

from edge.bulk.column_types import content_of, photo_of


@pytest.mark.parametrize(
    ("dtype", "content"),
    [
        (pa.string(), "text"),
        (pa.large_string(), "text"),
        (pa.dictionary(pa.int8(), pa.string()), "text"),
        (pa.binary(), "bytes"),
        (pa.large_binary(), "bytes"),
        (pa.dictionary(pa.int8(), pa.binary()), "bytes"),
        (pa.struct({"bytes": pa.binary(), "path": pa.string()}), "bytes in structs"),
        (pa.struct({"bytes": pa.large_binary()}), "bytes in structs"),
        (pa.struct({"bytes": pa.null(), "path": pa.string()}), "text in structs"),
        (pa.list_(pa.uint8()), "lists of bytes"),
        (pa.binary(20), None),
        (pa.int64(), None),
        (pa.null(), None),
        (pa.struct({"url": pa.string()}), None),
        (pa.struct({"bytes": pa.string()}), None),
        (pa.list_(pa.float32()), None),
        (pa.list_(pa.string()), None),
    ],
    ids=str,
)
def test_what_a_column_holds_follows_from_its_type(dtype, content):
    assert content_of(dtype) == content


@pytest.mark.parametrize(
    ("value", "photo"),
    [
        (b"x", b"x"), ("a.jpg", "a.jpg"), (None, None), ([120, 121], [120, 121]),
        ({"bytes": b"x", "path": "a"}, b"x"), ({"bytes": None, "path": "a"}, "a"),
        ({"path": "a"}, "a"), ({"bytes": b""}, b""), ({"bytes": None}, None),
    ],
)  # fmt: skip
def test_the_photo_of_a_value(value, photo):
    assert photo_of(value) == photo
