"""Films for the examples, frame by frame."""

from edge.video.display import Frame


def film(parts, rate=10):
    """Frames of pictures that are each shown for some seconds: pairs of both."""
    number = 0
    for image, seconds in parts:
        for _ in range(round(seconds * rate)):
            yield Frame(number, number / rate, image)
            number += 1
