from benchmarks.comparison import worker
from benchmarks.comparison.environments import METHODS, PEERS, Environment, find_environment


def test_every_method_has_a_peer_and_an_implementation():
    assert {method.peer for method in METHODS} == set(PEERS)
    assert {method.options["method"] for method in METHODS} == set(worker.METHODS)
    assert len({method.name for method in METHODS}) == len(METHODS)


def test_a_missing_environment_has_the_reason(tmp_path):
    assert "benchmarks.peers install" in find_environment("dlib", tmp_path).failure
    (tmp_path / "dlib").mkdir()
    (tmp_path / "dlib" / "failed.txt").write_text("no wheel for this Python\n")
    assert find_environment("dlib", tmp_path).failure == "no wheel for this Python"


def test_the_size_counts_packages_without_pip_bytecode_and_unused_models(tmp_path):
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name, size in {
        "numpy/core.so": 2_000_000, "six.py": 500_000, "numpy/core.pyc": 1_000_000,
        "pip/main.py": 4_000_000, "models/other.dat": 8_000_000,
        "models/shape_predictor_68_face_landmarks.dat": 3_000_000,
    }.items():  # fmt: skip
        path = packages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0" * size)
    assert Environment(tmp_path).size_mb() == 5.5
