"""The root file system of a Raspberry Pi: Debian for arm64, and aarch64 wheels of the dependencies.

Nothing is installed on the host; everything is in one folder. debootstrap's first stage downloads
the packages, and it is sufficient to unpack them without configuring any.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.arm.qemu import PYTHON
from benchmarks.harness.processes import find_tool, run_step

_SUITE = "bookworm"  # of Raspberry Pi OS when the Pi 5 was released
_PACKAGES = "python3,libstdc++6,libgcc-s1,zlib1g"
PYTHON_VERSION = "3.11"  # of that suite
_GLIBC_MINOR = 36  # of that suite; wheels may need any glibc 2.x up to it
_OLDEST_GLIBC_MINOR = 17  # manylinux2014
_MEASURED_PACKAGES = ("edge", "numpy", "onnxruntime", "pillow")


def make_rootfs(folder: Path) -> Path:
    """Create the root file system in a folder, unless it exists.

    Returns:
        Its path.

    Raises:
        MissingTool: debootstrap is not installed.
        OSError: a command failed; the message is its last line.
    """
    rootfs = folder / "tree"
    if (rootfs / PYTHON).exists():
        return rootfs
    debootstrap = find_tool("debootstrap", "debootstrap")
    folder.mkdir(parents=True, exist_ok=True)
    run_step(
        [debootstrap, "--foreign", "--arch=arm64", "--variant=minbase", f"--include={_PACKAGES}",
         _SUITE, str(rootfs)]
    )  # fmt: skip
    archives = rootfs / "var" / "cache" / "apt" / "archives"
    for package in sorted(archives.glob("*.deb")):
        run_step(["dpkg-deb", "-x", str(package), str(rootfs)])
    shutil.rmtree(archives)
    return rootfs


def install(site: Path, requirements: Sequence[str], wheel: Path) -> Path:
    """Install aarch64 wheels with their dependencies, and ours, into a folder that is replaced.

    Args:
        site: the folder, for PYTHONPATH.
        requirements: pip's; versions that ours excludes are possible.
        wheel: of this package.

    Raises:
        OSError: pip failed, for example because a version has no such wheel.
    """
    shutil.rmtree(site, ignore_errors=True)
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(site), *platforms()),
        *("--python-version", PYTHON_VERSION, "--implementation", "cp", "--only-binary=:all:"),
        "--no-compile",
    ]
    run_step([*command, *requirements])
    run_step([*command, "--no-deps", str(wheel)])
    return site


def platforms() -> list[str]:
    """Options of pip for all aarch64 wheels that the root file system's C library can load."""
    minors = range(_GLIBC_MINOR, _OLDEST_GLIBC_MINOR - 1, -1)
    names = [f"manylinux_2_{minor}_aarch64" for minor in minors] + ["manylinux2014_aarch64"]
    return [word for name in names for word in ("--platform", name)]


def measure_footprint(site: Path) -> dict[str, float]:
    """Size of each package in a folder, 10⁶ bytes, in descending order.

    Bundled libraries, such as those in `numpy.libs`, count towards their package.
    """
    sizes: Counter[str] = Counter()
    for path in site.rglob("*"):
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
            sizes[_package_of(path.relative_to(site))] += path.stat().st_size
    descending = sorted(sizes.items(), key=lambda item: -item[1])
    return {name: round(size / 1e6, 1) for name, size in descending}


def _package_of(path: Path) -> str:
    """The package that a file belongs to, or "others"; `path` is relative to the folder."""
    name = path.parts[0].lower().partition("-")[0].removesuffix(".libs")
    name = {"pil": "pillow", "edge_keypoints": "edge"}.get(name, name)
    return name if name in _MEASURED_PACKAGES else "others"


def installed_versions(site: Path) -> dict[str, str]:
    """Versions of the packages in a folder, by name in lower case."""
    folders = sorted(site.glob("*.dist-info"))
    pairs = [folder.stem.rpartition("-") for folder in folders]
    return {name.lower(): version for name, _, version in pairs}
