"""The exceptions of `train`.

TrainError(Exception)
├── DataError(TrainError, ValueError)   a data file is missing or malformed
└── RunError(TrainError, ValueError)    a run folder cannot be used or continued
"""


class TrainError(Exception):
    """Base class of the exceptions of `train`."""


class DataError(TrainError, ValueError):
    """A data file is missing, or a value in it is malformed."""


class RunError(TrainError, ValueError):
    """A run folder cannot be used or continued."""
