"""Entry point of `python -m edge.bulk`."""

import sys

from edge.bulk.command import main

sys.exit(main())
