"""What the command lines of `edge.run`, `edge.serve` and `edge.bulk` share."""
