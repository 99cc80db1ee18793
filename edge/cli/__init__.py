"""Command line code shared by `edge.run`, `edge.serve` and `edge.bulk`."""
