"""One way to find faces and keypoints, in a process of its own: ours, or a peer's.

Run by the Python of that peer's environment, so it imports nothing of this project but in the ways
that are ours. It reads orders from standard input, a JSON object a line, and answers each with one:

- `{"do": "first", "photo": FILE.npy}`: open and look once; milliseconds of importing, opening and
  looking, and of all since the process began.
- `{"do": "time", "photos": FILE.npz, "names": […]}`: milliseconds of each photo, one after another.
- `{"do": "find", "photos": …, "names": …}`: the faces of each, keypoints `(15, 2)` px or null.
- `{"do": "memory"}`: the most that the process held, MB.

Keypoints are in the order of `edge.KEYPOINT_NAMES`, px of the photo, centres at integers.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

BEGAN = time.time()

Options = dict[str, Any]
Look = Callable[[Any], list[Any]]  # from a photo to faces: 15 points `[x, y]` or None, or None
Scheme = tuple[tuple[int, ...], ...]

# Where the 15 keypoints are among the points of other schemes, by index; several are averaged.
_LEFT_EYE_68, _RIGHT_EYE_68 = tuple(range(42, 48)), tuple(range(36, 42))
SCHEME_68 = (
    _LEFT_EYE_68, _RIGHT_EYE_68, (42,), (45,), (39,), (36,),
    (22,), (26,), (21,), (17,), (30,), (54,), (48,), (51,), (57,),
)  # fmt: skip
SAME: Scheme = tuple((i,) for i in range(15))
_LEFT_EYE_MESH, _RIGHT_EYE_MESH = (362, 385, 387, 263, 373, 380), (33, 160, 158, 133, 153, 144)
SCHEME_MESH = (
    _LEFT_EYE_MESH, _RIGHT_EYE_MESH, (362,), (263,), (133,), (33,),
    (336,), (300,), (107,), (70,), (1,), (291,), (61,), (0,), (17,),
)  # fmt: skip
# YuNet and MediaPipe's short-range detector give a few points only.
SCHEME_YUNET = ((1,), (0,), (), (), (), (), (), (), (), (), (2,), (4,), (3,), (), ())
SCHEME_BLAZE = ((1,), (0,), (), (), (), (), (), (), (), (), (2,), (), (), (), ())


def pick(points: Any, scheme: Scheme) -> list[Any]:
    """The 15 keypoints of a scheme's points, `(P, 2)`; None where the scheme has none."""
    return [
        [float(sum(points[i][axis] for i in some)) / len(some) for axis in (0, 1)] if some else None
        for some in scheme
    ]


def edge_way(options: Options) -> Look:
    """This package; `detector` "haar-alt2" puts OpenCV's second cascade before our keypoints."""
    import edge

    settings = {
        name: options[name] for name in ("precision", "detect_size", "max_faces") if name in options
    }
    detect = edge.FaceKeypoints(threads=options["threads"], **settings)
    look: Look = detect
    if options.get("video"):
        look = edge.Tracker(detect)
    elif options.get("cascade"):
        look = _behind_cascade(detect, options["cascade"], options["threads"])
    return lambda rgb: [face.keypoints.tolist() for face in look(rgb)]


def _behind_cascade(detect: Any, name: str, threads: int) -> Look:
    import cv2
    import numpy as np

    from edge.geometry.face_frame import box_of_square
    from edge.image import to_grey

    cv2.setNumThreads(threads)
    cascade = cv2.CascadeClassifier(_cascades() + name)

    def look(rgb: Any) -> list[Any]:
        squares = cascade.detectMultiScale(to_grey(rgb), 1.1, 3, minSize=(20, 20))
        boxes = np.array(
            [box_of_square(np.asarray(square, np.float64)) for square in squares]
        ).reshape(-1, 4)
        return list(detect.faces_at(rgb, boxes))

    return look


def _cascades() -> str:
    import cv2

    return str(cv2.data.haarcascades)  # type: ignore[attr-defined]


def cascade_way(options: Options) -> Look:
    """One of OpenCV's cascades alone, which gives no keypoints."""
    import cv2

    cv2.setNumThreads(options["threads"])
    cascade = cv2.CascadeClassifier(_cascades() + options["cascade"])

    def look(rgb: Any) -> list[Any]:
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        return [None for _ in cascade.detectMultiScale(grey, 1.1, 3, minSize=(20, 20))]

    return look


def yunet_way(options: Options) -> Look:
    """YuNet (Wu et al., 2023) through OpenCV, at the same working size as ours."""
    import cv2
    import numpy as np

    cv2.setNumThreads(options["threads"])
    detector = cv2.FaceDetectorYN.create(options["model"], "", (0, 0), 0.6, 0.3, 5000)

    def look(rgb: Any) -> list[Any]:
        scale = min(options["detect_size"] / max(rgb.shape[:2]), 2.0)
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        detector.setInputSize(small.shape[1::-1])
        _, rows = detector.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        rows = np.asarray([] if rows is None else rows, np.float64).reshape(-1, 15)
        factors = np.array(rgb.shape[1::-1]) / np.array(small.shape[1::-1])
        points = (rows[:, 4:14].reshape(-1, 5, 2) + 0.5) * factors - 0.5
        return [pick(face, SCHEME_YUNET) for face in points]

    return look


def mesh_way(options: Options) -> Look:
    """MediaPipe's Face Mesh: each photo anew, or as a video."""
    import mediapipe as mp

    mesh = mp.solutions.face_mesh.FaceMesh(
        static_image_mode=not options.get("video"), max_num_faces=options.get("max_faces", 1)
    )

    def look(rgb: Any) -> list[Any]:
        faces = mesh.process(rgb).multi_face_landmarks or []
        return [pick(_in_px(face.landmark, rgb), SCHEME_MESH) for face in faces]

    return look


def blaze_way(options: Options) -> Look:
    """MediaPipe's short-range face detector."""
    import mediapipe as mp

    detector = mp.solutions.face_detection.FaceDetection(model_selection=0)

    def look(rgb: Any) -> list[Any]:
        faces = detector.process(rgb).detections or []
        points = [face.location_data.relative_keypoints for face in faces]
        return [pick(_in_px(some, rgb), SCHEME_BLAZE) for some in points]

    return look


def _in_px(landmarks: Any, rgb: Any) -> list[tuple[float, float]]:
    height, width = rgb.shape[:2]
    return [(point.x * width - 0.5, point.y * height - 0.5) for point in landmarks]


def dlib_way(options: Options) -> Look:
    """The detector of gradients of dlib, and its 68 points by regression trees."""
    import dlib
    import face_recognition_models

    detect = dlib.get_frontal_face_detector()
    predict = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())

    def look(rgb: Any) -> list[Any]:
        shapes = [predict(rgb, box) for box in detect(rgb, 0)]
        return [pick([(p.x, p.y) for p in shape.parts()], SCHEME_68) for shape in shapes]

    return look


def onnx_way(options: Options) -> Look:
    """Any landmark model behind our detector: grey or RGB, 15 or 68 points in 0–1 or in px."""
    import numpy as np
    import onnxruntime

    import edge
    from edge.crop import cut
    from edge.geometry.affine import crop_matrix, invert, transform
    from edge.geometry.face_frame import square_of_box
    from edge.image import to_grey

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options["threads"]
    session = onnxruntime.InferenceSession(
        options["model"], settings, providers=["CPUExecutionProvider"]
    )
    tensor = session.get_inputs()[0]
    sides = [side for side in tensor.shape[1:] if isinstance(side, int)]
    size, channels = max(sides), min(sides)
    first = tensor.shape[1] == channels
    finder = edge.FaceKeypoints(threads=options["threads"])

    def look(rgb: Any) -> list[Any]:
        planes = rgb if channels == 3 else to_grey(rgb)[..., None]
        faces = []
        for face in finder(rgb):
            matrix = crop_matrix(square_of_box(face.box), size)
            each = [np.ascontiguousarray(planes[..., i]) for i in range(channels)]
            crop = np.stack([cut(e, matrix, size) for e in each], axis=0 if first else -1)[None]
            given = crop if tensor.type == "tensor(uint8)" else crop.astype(np.float32) / 255
            outputs = [np.asarray(x, np.float64) for x in session.run(None, {tensor.name: given})]
            points = next(x for x in outputs if x.size in (30, 136)).reshape(-1, 2)
            moved = transform(invert(matrix), points * size - 0.5 if points.max() <= 2 else points)
            faces.append(pick(moved, SCHEME_68 if len(moved) == 68 else SAME))
        return faces

    return look


WAYS: dict[str, Callable[[Options], Look]] = {
    "edge": edge_way, "cascade": cascade_way, "yunet": yunet_way, "mesh": mesh_way,
    "blaze": blaze_way, "dlib": dlib_way, "onnx": onnx_way,
}  # fmt: skip


def keep_to_one_core() -> None:
    """Leave this process one core, the last of those it may use: one thread, whatever it starts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def peak_mb() -> float:
    """The most memory that this process held, 10⁶ bytes."""
    # What getrusage says includes what the parent held when it started this process.
    with open("/proc/self/status", encoding="ascii") as status:
        held = next(line for line in status if line.startswith("VmHWM"))
    return int(held.split()[1]) * 1024 / 1e6


def first(options: Options, order: dict[str, Any]) -> tuple[dict[str, float], Look]:
    """Import, open and look, once."""
    import numpy as np

    photo = np.load(order["photo"])
    begin = time.perf_counter()
    look = WAYS[options["way"]](options)
    opened = time.perf_counter()
    look(photo)
    return {
        "open_ms": (opened - begin) * 1e3,
        "look_ms": (time.perf_counter() - opened) * 1e3,
        "since_start_ms": (time.time() - BEGAN) * 1e3,
    }, look


def read(order: dict[str, Any]) -> list[Any]:
    """The photos that an order names, uint8 `(H, W, 3)` RGB each."""
    import numpy as np

    with np.load(order["photos"]) as photos:
        return [photos[name] for name in order["names"]]


def time_each(look: Look, photos: list[Any]) -> dict[str, list[float]]:
    """Milliseconds of each photo."""
    spent = []
    for photo in photos:
        start = time.perf_counter_ns()
        look(photo)
        spent.append((time.perf_counter_ns() - start) / 1e6)
    return {"ms": spent}


def answer(
    orders: Iterable[str], options: Options, reply: Callable[[dict[str, Any]], None]
) -> None:
    """Carry out orders until there are none."""
    look: Look | None = None
    kept: dict[Any, list[Any]] = {}
    result: dict[str, Any]
    for line in orders:
        order = json.loads(line)
        if order["do"] == "first":
            result, look = first(options, order)
        elif order["do"] == "memory":
            result = {"mb": peak_mb()}
        else:
            look = look or WAYS[options["way"]](options)
            key = (order["photos"], tuple(order["names"]))
            if key not in kept:
                kept = {key: read(order)}
            if order["do"] == "time":
                result = time_each(look, kept[key])
            else:
                result = {"faces": [look(photo) for photo in kept[key]]}
        reply(result)


def main() -> None:
    """Answer on the standard output that was there; what libraries print goes to standard error."""
    options = json.loads(sys.argv[1])
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if options["threads"] == 1:
        keep_to_one_core()
    options["threads"] = options["threads"] or os.cpu_count()

    def reply(result: dict[str, Any]) -> None:
        print(json.dumps(result), file=out, flush=True)

    answer(sys.stdin, options, reply)


if __name__ == "__main__":
    main()
