import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from train.any_roll import photometric  # noqa: E402
from train.any_roll.photometric import Photometric  # noqa: E402


def pixels(count=32):
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    return (x + y + 60).expand(count, 64, 64).contiguous()


def test_changes_depend_on_seed_and_number_alone_and_leave_the_input():
    before = pixels()
    change = Photometric(torch.device("cpu"), seed=2)
    first, again, other = (change(before, number) for number in (5, 5, 6))
    assert first.dtype == torch.uint8
    assert first.shape == before.shape
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, pixels())


def test_canvases_stay_recognisable():
    changed = Photometric(torch.device("cpu"), seed=2)(pixels(), 0).float()
    halves = changed[:, :, 40:].mean((1, 2)) - changed[:, :, :24].mean((1, 2))
    assert (halves > 0).float().mean() > 0.85  # shadows may reverse a few


def test_compression_hardly_changes_a_smooth_canvas(monkeypatch):
    change = Photometric(torch.device("cpu"), seed=0)
    smooth = pixels(4)
    assert (change._compress(smooth) - smooth).abs().max() < 12
    flat = torch.full((4, 64, 64), 128.0)
    torch.testing.assert_close(change._compress(flat), flat)


def test_without_any_change_the_canvas_is_rounded(monkeypatch):
    for name in ("_BLUR_RATE", "_SHARPEN_RATE", "_TONE_RATE", "_SHADING_RATE", "_NOISE_RATE"):
        monkeypatch.setattr(photometric, name, -1.0)
    change = Photometric(torch.device("cpu"), seed=0)
    changed = change(pixels() + 0.3, 0)
    # The first sixteenth is printed and the last quarter compressed.
    assert torch.equal(changed[2:24], pixels(22).to(torch.uint8))
