"""Makes what a Raspberry Pi would hold: Debian for arm64, wheels for it, and ours.

Nothing of it is installed on this machine; all lies in one folder. debootstrap's first stage
fetches the packages, and unpacking them is enough: none is set up.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.arm.qemu import PYTHON, find_tool
from benchmarks.harness.minimum_versions import ROOT

_SUITE = "bookworm"  # what Raspberry Pi OS was built on when the Pi 5 came out
_PACKAGES = "python3,libstdc++6,libgcc-s1,zlib1g"
PYTHON_VERSION = "3.11"  # of that suite
_GLIBC_MINOR = 36  # likewise: wheels may ask for any 2.x up to it
_OLDEST_GLIBC_MINOR = 17  # manylinux2014


def make_tree(folder: Path) -> Path:
    """Make the Debian tree in a folder, unless it is there.

    Returns:
        The tree's root.

    Raises:
        MissingTool: debootstrap is not installed.
        OSError: a step failed; the message is its last line.
    """
    tree = folder / "tree"
    if (tree / PYTHON).exists():
        return tree
    debootstrap = find_tool("debootstrap", "debootstrap")
    folder.mkdir(parents=True, exist_ok=True)
    run_step(
        [debootstrap, "--foreign", "--arch=arm64", "--variant=minbase", f"--include={_PACKAGES}",
         _SUITE, str(tree)]
    )  # fmt: skip
    archives = tree / "var" / "cache" / "apt" / "archives"
    for package in sorted(archives.glob("*.deb")):
        run_step(["dpkg-deb", "-x", str(package), str(tree)])
    shutil.rmtree(archives)
    return tree


def build_wheel(folder: Path) -> Path:
    """Build our own wheel.

    Returns:
        Its path.

    Raises:
        OSError: pip failed.
    """
    wheels = folder / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    run_step(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(wheels), str(ROOT)]
    )
    (wheel,) = wheels.glob("*.whl")
    return wheel


def install(site: Path, requirements: Sequence[str], wheel: Path) -> Path:
    """Put aarch64 wheels and what they need into a folder, and ours, in place of what is there.

    Args:
        site: the folder, to be named in PYTHONPATH.
        requirements: as pip takes them; also versions that ours would refuse.
        wheel: ours.

    Raises:
        OSError: pip failed: a version has no such wheel, say.
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
    """Options for pip: every kind of aarch64 wheel that the tree's C library can load."""
    minors = range(_GLIBC_MINOR, _OLDEST_GLIBC_MINOR - 1, -1)
    names = [f"manylinux_2_{minor}_aarch64" for minor in minors] + ["manylinux2014_aarch64"]
    return [word for name in names for word in ("--platform", name)]


def measure_footprint(site: Path) -> dict[str, float]:
    """What lies in a folder of packages: 10⁶ bytes of each, the larger first.

    A folder such as `numpy.libs`, of libraries that a wheel brings along, counts with its package.
    """
    sizes: dict[str, int] = {}
    for path in site.rglob("*"):
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
            top = path.relative_to(site).parts[0].lower()
            name = top.partition("-")[0].removesuffix(".libs").replace("_keypoints", "")
            owner = {"pil": "pillow"}.get(name, name)
            owner = owner if owner in ("edge", "numpy", "onnxruntime", "pillow") else "others"
            sizes[owner] = sizes.get(owner, 0) + path.stat().st_size
    largest_first = sorted(sizes.items(), key=lambda item: -item[1])
    return {name: round(size / 1e6, 1) for name, size in largest_first}


def installed_versions(site: Path) -> dict[str, str]:
    """The versions in a folder of packages, by name in lower case."""
    folders = sorted(site.glob("*.dist-info"))
    pairs = [folder.stem.rpartition("-") for folder in folders]
    return {name.lower(): version for name, _, version in pairs}


def run_step(command: Sequence[str]) -> None:
    """Run one step of setting up.

    Raises:
        OSError: it failed; the message is the last line that it wrote.
    """
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
        raise OSError(f"{Path(command[0]).name}: {lines[-1]}")
