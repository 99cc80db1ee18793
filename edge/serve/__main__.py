"""Entry point of `python -m edge.serve`."""

import sys

from edge.serve.command import main

sys.exit(main())
