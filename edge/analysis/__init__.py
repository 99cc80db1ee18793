"""What faces show beyond single measures: expressions, and how good a shot of a face is."""
