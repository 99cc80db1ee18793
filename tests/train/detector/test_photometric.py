import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from train.detector import photometric  # noqa: E402
from train.detector.photometric import Photometric  # noqa: E402


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


def test_each_change_is_made_to_its_share_of_the_canvases(monkeypatch):
    shares = [name for name in vars(photometric) if name.endswith("_SHARE")]
    for name in shares:
        monkeypatch.setattr(photometric, name, 0.0)
    change = Photometric(torch.device("cpu"), seed=0)
    rounded = pixels().to(torch.uint8)
    assert torch.equal(change(pixels() + 0.3, 0), rounded)
    for name in shares:
        monkeypatch.setattr(photometric, name, 0.3)
        changed = (change(pixels() + 0.3, 0) != rounded).any(2).any(1).sum()
        assert 7 <= changed <= 10, name  # of 32; blur hardly changes a slope
        monkeypatch.setattr(photometric, name, 0.0)
