"""What faces show and do: eyes, mouths, attention, expressions, shots, and events."""
