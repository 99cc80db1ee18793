"""Runs the command: `python -m edge.run`."""

import sys

from edge.run.command import main

sys.exit(main())
