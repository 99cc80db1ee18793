"""Training: from annotated faces or photos to `model.keras` and `run.json`.

The commands import what they need at their top, so that a package that is missing shows before
they can report it: the hook makes one line of it.
"""

import sys

from train.exit_status import report_missing

sys.excepthook = report_missing
