"""A detector that ends its process when it sees a picture of one pixel, as a crash would."""

import os
import signal

from edge.facekeypoints import FaceKeypoints
from edge.image import load_grey


class Deadly(FaceKeypoints):
    def __call__(self, image):
        if load_grey(image).size == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(image)

    def __reduce__(self):
        return _open, super().__reduce__()[1]


def _open(settings):
    return Deadly(**settings.to_dict())
