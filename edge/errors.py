"""The errors `edge` raises on purpose.

Every one is also the builtin that a caller would expect:

    EdgeError(Exception)
    ├── ImageError(EdgeError, ValueError)      a picture cannot be decoded or used
    ├── ModelError(EdgeError, ValueError)      a model file is missing or breaks the contract
    ├── SourceError(EdgeError, OSError)        a file or folder cannot be opened or written
    └── MissingExtra(EdgeError, ImportError)   an optional dependency is absent
"""


class EdgeError(Exception):
    """The base of every error that `edge` raises on purpose."""


class ImageError(EdgeError, ValueError):
    """A picture cannot be decoded, or an array has the wrong shape or dtype."""


class ModelError(EdgeError, ValueError):
    """A model file is missing, corrupt, or does not keep the contract."""


class SourceError(EdgeError, OSError):
    """A file or folder cannot be opened or written."""


class MissingExtra(EdgeError, ImportError):
    """An optional dependency is needed and not installed."""
