"""Live sources: their newest image is processed, and those in between are dropped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator

from edge.errors import EdgeError, SourceError
from edge.image import Rgb
from edge.video.display import Frame


class LiveFrames:
    """The newest image of a source that is read in a thread of its own.

    Attributes:
        dropped: images that were dropped so far.
    """

    def __init__(self, name: str, read: Callable[[threading.Event], Iterator[Rgb]]) -> None:
        """Read a live source.

        Args:
            name: of the source, for messages.
            read: gives its images, uint8 `(H, W, 3)`, until the event is set.
        """
        self.dropped = 0
        self._name = name
        self._read = read
        self._newest: Rgb | None = None
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._ended = False
        self._error: EdgeError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def frames(self) -> Generator[Frame, None, None]:
        """The newest frame, repeatedly; frames in between are counted and dropped.

        Raises:
            EdgeError: the source gives no image, or what reading it raised.
        """
        self._thread.start()
        start, number = time.monotonic(), 0
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._newest is not None or self._ended)
                    image, self._newest = self._newest, None
                if image is None:
                    if self._error:
                        raise self._error
                    if not number:
                        raise SourceError(f"{self._name}: gives no image")
                    return
                yield Frame(number, time.monotonic() - start, image)
                number += 1
        finally:
            self._stopped.set()
            self._thread.join()

    def _run(self) -> None:
        try:
            for image in self._read(self._stopped):
                with self._changed:
                    self.dropped += self._newest is not None
                    self._newest = image
                    self._changed.notify_all()
                if self._stopped.is_set():
                    return
        except EdgeError as error:
            self._error = error
        finally:  # after an error too, or the consumer would wait for ever
            with self._changed:
                self._ended = True
                self._changed.notify_all()
