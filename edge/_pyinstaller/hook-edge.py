"""What PyInstaller cannot see: the networks, and modules that are imported by their names."""

from importlib.util import find_spec

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

# A program that uses the server or bulk runs imports them itself, with all that they need.
_LEFT_OUT = ("edge.serve", "edge.bulk", "edge.console", "edge._pyinstaller")
# Optional dependencies that `edge.extras.require` imports by name.
_OPTIONAL = ("cv2", "av")

datas = collect_data_files("edge")
hiddenimports = collect_submodules("edge", lambda name: not name.startswith(_LEFT_OUT))
hiddenimports += [name for name in _OPTIONAL if find_spec(name) is not None]
