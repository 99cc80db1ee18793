from PIL import Image

from train.data.photo_files import list_photos


def test_photos_are_told_by_content_without_what_a_mac_keeps_beside_them(tmp_path):
    for name in ("b.png", "a.JPG", "c.jfif", "plain"):
        Image.new("L", (8, 8)).save(tmp_path / name, "JPEG")
    Image.new("L", (8, 8)).save(tmp_path / "a.keypoints.jpg")
    (tmp_path / "._a.JPG").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "notes.txt").write_text("notes")
    assert [path.name for path in list_photos(tmp_path)] == ["a.JPG", "b.png", "c.jfif", "plain"]
    assert list_photos(tmp_path / "none") == []
