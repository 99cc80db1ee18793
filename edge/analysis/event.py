"""What happens to a face in the course of time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = ("blink", "eyes_closed", "yawn", "talking", "nod", "shake", "facing")
_TIME_DIGITS, _VALUE_DIGITS = 3, 3


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        kind: one of `KINDS`.
        time: when it began, seconds.
        end: when it ended, seconds.
        details: what else is known of it, by name.
        track: number of the face; None until it is known.
    """

    kind: str
    time: float
    end: float
    details: dict[str, Any] = field(default_factory=dict)
    track: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Values that `json` can write: time, end, track, kind, and the details."""
        details = {
            name: round(value, _VALUE_DIGITS) if isinstance(value, float) else value
            for name, value in self.details.items()
        }
        return {
            "time": round(self.time, _TIME_DIGITS),
            "end": round(self.end, _TIME_DIGITS),
            "track": self.track,
            "kind": self.kind,
            **details,
        }
