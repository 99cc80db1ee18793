"""Compare the right and the left half of a face, in one HTML file with the picture.

    python examples/symmetry_report.py photo.jpg report.html

Measures are those of the head turned to the front (`measure(face, frontal=True)`), in distances
between the outer eye corners, with probable errors. They are measurements, not diagnoses: a
difference within its error may be none, and hardly any face is symmetric.
"""

from __future__ import annotations

import base64
import sys
from html import escape
from pathlib import Path

import numpy as np

import edge
from edge.formats.image_writer import to_jpeg

PAIRS = {"eye width": "eye_width", "height of the brow above the eye": "brow_raise"}
STYLE = "body{font:1rem sans-serif;margin:2rem}img{width:24rem}td{padding:.3rem;min-width:8rem}"


def report(path: str) -> str:
    """The report of the largest face of a photo, HTML.

    Raises:
        EdgeError: the photo cannot be read or has no face.
    """
    image = edge.load_image(path)
    faces = edge.FaceKeypoints(max_faces=1)(image)
    if not faces:
        raise edge.EdgeError(f"{path}: no face found")
    measures = edge.measure(faces[0], frontal=True, image_size=image.shape[1::-1])
    rows = []
    for label, name in PAIRS.items():
        right, left = measures[f"{name}_right"], measures[f"{name}_left"]
        error = (right.error**2 + left.error**2) ** 0.5
        cells = [f"{x.value:.3f} ± {x.error:.3f}" for x in (right, left)]
        rows.append((label, *cells, f"{right.value - left.value:+.3f} ± {error:.3f}"))
    whole, yaw = measures["asymmetry"], measures["yaw_deg"]
    rows.append(("points, from symmetry", "", "", f"{whole.value:.3f} ± {whole.error:.3f}"))
    table = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    x, y, width, height = (max(0, round(float(side))) for side in faces[0].box)
    drawn = edge.draw(image, faces, show_error=True)[: y + height * 3 // 2, : x + width * 3 // 2]
    close = drawn[max(0, y - height // 2) :, max(0, x - width // 2) :]
    picture = base64.b64encode(to_jpeg(np.ascontiguousarray(close))).decode()
    return (
        f"<!doctype html><meta charset=utf-8><title>Symmetry</title><style>{STYLE}</style>"
        f"<h1>{escape(Path(path).name)}</h1><img alt='' src='data:image/jpeg;base64,{picture}'>"
        f"<p>Yaw {yaw.value:.0f} ± {yaw.error:.0f}°; right and left are the subject's.</p><table>"
        f"<tr><th><th>right<th>left<th>difference</tr>{table}</table>"
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(report(sys.argv[1]), encoding="utf-8")
