from benchmarks.arm.rootfs import installed_versions, measure_footprint, platforms


def test_pip_may_choose_any_wheel_that_the_c_library_can_load():
    options = platforms()
    assert options[:2] == ["--platform", "manylinux_2_36_aarch64"]
    assert options[-2:] == ["--platform", "manylinux2014_aarch64"]
    assert "manylinux_2_37_aarch64" not in options


def test_sizes_and_versions_are_summed_up_by_package(tmp_path):
    files = {
        "numpy/core.so": 2_000_000, "numpy.libs/blas.so": 1_000_000, "PIL/image.so": 500_000,
        "pillow.libs/jpeg.so": 300_000, "edge/models/k.onnx": 400_000, "flatbuffers/x.py": 100_000,
        "numpy/__pycache__/x.pyc": 9_000_000, "edge_keypoints-0.1.0.dist-info/METADATA": 100_000,
        "numpy-2.4.6.dist-info/METADATA": 0,
    }  # fmt: skip
    for name, size in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0" * size)
    assert list(measure_footprint(tmp_path).items()) == [
        ("numpy", 3.0), ("pillow", 0.8), ("edge", 0.5), ("others", 0.1)
    ]  # fmt: skip
    assert installed_versions(tmp_path) == {"edge_keypoints": "0.1.0", "numpy": "2.4.6"}
