"""The errors `export` raises on purpose.

ExportError(Exception)
├── RunFolderError(ExportError, ValueError)    the training run lacks a file or a file is broken
├── ParityError(ExportError, ArithmeticError)  the ONNX model does not compute what Keras computes
└── AccuracyError(ExportError, ArithmeticError)  the int8 model loses too much accuracy
"""


class ExportError(Exception):
    """The base of every error that `export` raises on purpose."""


class RunFolderError(ExportError, ValueError):
    """The training run lacks a file, or a file in it is broken."""


class ParityError(ExportError, ArithmeticError):
    """The ONNX model does not compute what the Keras model computes."""


class AccuracyError(ExportError, ArithmeticError):
    """The int8 model loses more accuracy than is allowed."""
