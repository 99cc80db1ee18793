"""The errors `train` raises on purpose.

TrainError(Exception)
├── DataError(TrainError, ValueError)   a data file is not what was expected
└── RunError(TrainError, ValueError)    a run folder cannot be used or continued
"""


class TrainError(Exception):
    """The base of every error that `train` raises on purpose."""


class DataError(TrainError, ValueError):
    """A data file is missing, or a value in it is not what was expected."""


class RunError(TrainError, ValueError):
    """A run folder cannot be used or continued."""
