import pytest

pytest.importorskip("python_multipart")
pytest.importorskip("starlette")

from starlette.exceptions import HTTPException

from edge.serve.multipart import Upload, parse_form

CONTENT_TYPE = "multipart/form-data; boundary=x"


def part(data, name="a", file_name=None):
    disposition = f'form-data; name="{name}"'
    if file_name is not None:
        disposition += f'; filename="{file_name}"'
    return f"--x\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + data + b"\r\n"


def form(*parts):
    return b"".join(parts) + b"--x--\r\n"


def error_of(body, content_type=CONTENT_TYPE, max_files=3):
    with pytest.raises(HTTPException) as raised:
        parse_form(body, content_type, max_files)
    return raised.value.status_code, raised.value.detail


def test_files_are_returned_in_order_with_their_names():
    body = form(part(b"\r\n--\0", file_name="é.jpg"), part(b"", file_name="b"))
    assert parse_form(body, CONTENT_TYPE, 2) == [Upload("é.jpg", b"\r\n--\0"), Upload("b", b"")]


def test_a_file_without_a_name_gets_a_default_name():
    assert parse_form(form(part(b"1", file_name="")), CONTENT_TYPE, 1) == [Upload("picture", b"1")]


def test_a_part_may_lack_a_field_name():
    body = b'--x\r\nContent-Disposition: form-data; filename="a"\r\n\r\n1\r\n--x--\r\n'
    assert parse_form(body, CONTENT_TYPE, 1) == [Upload("a", b"1")]


def test_fields_that_are_not_files_are_ignored():
    body = form(part(b"text"), part(b"1", file_name="f"), part(b"text"))
    assert parse_form(body, CONTENT_TYPE, 1) == [Upload("f", b"1")]


def test_header_names_are_case_insensitive_and_boundaries_may_be_quoted():
    body = b'--a b\r\ncontent-DISPOSITION: form-data; filename="f"\r\n\r\n1\r\n--a b--\r\n'
    content_type = 'multipart/form-data; charset=utf-8; boundary="a b"'
    assert parse_form(body, content_type, 1) == [Upload("f", b"1")]


def test_too_many_files_are_rejected():
    body = form(*[part(b"", file_name="f")] * 4)
    assert error_of(body) == (413, "the form has too many files; expected at most 3")


def test_too_many_fields_are_rejected():
    body = form(*[part(b"")] * 16, part(b"1", file_name="f"))
    assert parse_form(body, CONTENT_TYPE, 1) == [Upload("f", b"1")]
    status, message = error_of(part(b"") + body)
    assert (status, message.endswith("besides files; expected at most 16")) == (413, True)


def test_a_form_without_files_is_rejected():
    assert error_of(form(part(b"text"))) == (
        422, "the form has no file; send each image as a file part",
    )  # fmt: skip


def test_a_form_without_a_boundary_is_rejected():
    assert error_of(form(part(b"")), "multipart/form-data") == (
        400, "the Content-Type header of the form has no boundary",
    )  # fmt: skip


@pytest.mark.parametrize(
    "body", [b"", b"--x", part(b"1", file_name="f"), form(part(b"1", file_name="f"))[:-6]]
)
def test_a_truncated_form_is_rejected(body):
    assert error_of(body) == (400, "the form is truncated: its closing boundary is missing")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"no boundary", id="no boundary"),
        pytest.param(b"--x\r\n" + b"a:b\r\n" * 1000 + b"\r\nz\r\n--x--\r\n", id="too many headers"),
        pytest.param(b"--x\r\na:" + b"b" * 100_000 + b"\r\n\r\nz\r\n--x--\r\n", id="long header"),
        pytest.param(b"--x\r\nno colon\r\n\r\nz\r\n--x--\r\n", id="no header"),
    ],
)
def test_a_malformed_form_is_rejected(body):
    status, message = error_of(body)
    assert status == 400
    assert message.startswith("the form is malformed (")
