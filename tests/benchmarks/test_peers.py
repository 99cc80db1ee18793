import pytest

from benchmarks import peers
from benchmarks.comparison.environments import Environment


def test_an_unknown_peer_is_a_usage_error(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        peers.main(["install", "nobody", "--home", str(tmp_path)])
    assert "no such peer: nobody" in capsys.readouterr().err


def test_a_failed_installation_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    def install(peer, home):
        failure = "no wheel" if peer == "dlib" else ""
        packages = home / peer / "lib" / "python3.11" / "site-packages"
        packages.mkdir(parents=True)
        (packages / "a.py").write_bytes(b"\0" * 3_000_000)
        return Environment(home / peer, failure)

    monkeypatch.setattr(peers, "install_peer", install)
    assert peers.main(["install", "dlib", "edge", "--home", str(tmp_path)]) == 1
    assert capsys.readouterr().out == "dlib: no wheel\nedge: 3 MB\n"
