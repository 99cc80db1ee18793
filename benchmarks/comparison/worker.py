"""A worker: runs one method, this package's or a peer's, and answers requests about it.

It is run by path, by the interpreter of that peer's environment and isolated (`-I`), so it must
stay one file that imports nothing of this project except in the methods that are this package's.

Requests are read from standard input, a JSON object per line, and each is answered with one:

- `{"request": "first", "image": FILE.npy}`: open the method and process one image. `open_ms`,
  `look_ms` (the image) and `since_start_ms` (since the process began).
- `{"request": "time", "images": FILE.npz, "names": […]}`: `ms`, the time of each image,
  and `cpu_ms`, the CPU time of all threads. With `"files": […]` instead of both, image files, which
  the method reads as it likes; only this package and MediaPipe's Face Mesh can.
- `{"request": "predict", "images": …, "names": …}`: `faces` of each image, 15 keypoints
  `[x, y]` px or null each, or null for a face without keypoints.
- `{"request": "memory"}`: `mb`, the largest resident set of the process.

Keypoints are in the order of `edge.KEYPOINT_NAMES`, px of the image, pixel centres at integers.
With the option `all_points` a face is all points of the method's own scheme instead.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

STARTED = time.time()

Options = dict[str, Any]
Predict = Callable[[Any], list[Any]]  # from uint8 `(H, W, 3)` RGB to faces, as "predict" answers
Scheme = tuple[tuple[int, ...], ...]  # for each of the 15 keypoints, indices to average

_LEFT_EYE_68, _RIGHT_EYE_68 = tuple(range(42, 48)), tuple(range(36, 42))
SCHEME_68 = (
    _LEFT_EYE_68, _RIGHT_EYE_68, (42,), (45,), (39,), (36,),
    (22,), (26,), (21,), (17,), (30,), (54,), (48,), (51,), (57,),
)  # fmt: skip
IDENTITY: Scheme = tuple((i,) for i in range(15))
_LEFT_EYE_MESH, _RIGHT_EYE_MESH = (362, 385, 387, 263, 373, 380), (33, 160, 158, 133, 153, 144)
SCHEME_MESH = (
    _LEFT_EYE_MESH, _RIGHT_EYE_MESH, (362,), (263,), (133,), (33,),
    (336,), (300,), (107,), (70,), (1,), (291,), (61,), (0,), (17,),
)  # fmt: skip
# YuNet and MediaPipe's short-range detector predict a few points only.
SCHEME_YUNET = ((1,), (0,), (), (), (), (), (), (), (), (), (2,), (4,), (3,), (), ())
SCHEME_BLAZE = ((1,), (0,), (), (), (), (), (), (), (), (), (2,), (), (), (), ())

_CASCADE_SETTINGS: Any = {"scaleFactor": 1.1, "minNeighbors": 3, "minSize": (20, 20)}


def pick(points: Any, scheme: Scheme) -> list[Any]:
    """The 15 keypoints of a scheme's points, `(P, 2)`; None where the scheme lacks one."""
    return [
        [float(sum(points[i][axis] for i in indices)) / len(indices) for axis in (0, 1)]
        if indices
        else None
        for indices in scheme
    ]


def _points(points: Any, scheme: Scheme, options: Options) -> list[Any]:
    """A face as the options ask for it: the 15 keypoints, or all points."""
    if options.get("all_points"):
        return [[float(x), float(y)] for x, y in points]
    return pick(points, scheme)


def open_edge(options: Options) -> Predict:
    """This package; with `cascade`, its keypoint network behind one of OpenCV's cascades."""
    import edge

    settings = {
        name: options[name] for name in ("precision", "detect_size", "max_faces") if name in options
    }
    detect = edge.FaceKeypoints(threads=options["threads"], **settings)
    predict: Predict = detect
    if options.get("video"):
        predict = edge.Tracker(detect)
    elif options.get("cascade"):
        predict = _behind_cascade(detect, options["cascade"], options["threads"])
    return lambda rgb: [face.keypoints.tolist() for face in predict(rgb)]


def _behind_cascade(detect: Any, name: str, threads: int) -> Predict:
    import cv2
    import numpy as np

    from edge.geometry.face_frame import box_of_square
    from edge.image import to_grey

    cv2.setNumThreads(threads)
    cascade = cv2.CascadeClassifier(_cascade_folder() + name)

    def predict(rgb: Any) -> list[Any]:
        squares = cascade.detectMultiScale(to_grey(rgb), **_CASCADE_SETTINGS)
        boxes = np.array(
            [box_of_square(np.asarray(square, np.float64)) for square in squares]
        ).reshape(-1, 4)
        return list(detect.faces_at(rgb, boxes))

    return predict


def _cascade_folder() -> str:
    import cv2

    return str(cv2.data.haarcascades)  # type: ignore[attr-defined]


def open_cascade(options: Options) -> Predict:
    """One of OpenCV's cascades alone, without keypoints."""
    import cv2

    cv2.setNumThreads(options["threads"])
    cascade = cv2.CascadeClassifier(_cascade_folder() + options["cascade"])

    def predict(rgb: Any) -> list[Any]:
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        return [None for _ in cascade.detectMultiScale(grey, **_CASCADE_SETTINGS)]

    return predict


def open_yunet(options: Options) -> Predict:
    """YuNet (Wu et al., 2023) run by OpenCV, at the same working size as ours."""
    import cv2
    import numpy as np

    cv2.setNumThreads(options["threads"])
    detector = cv2.FaceDetectorYN.create(options["model"], "", (0, 0), 0.6, 0.3, 5000)

    def predict(rgb: Any) -> list[Any]:
        scale = min(options["detect_size"] / max(rgb.shape[:2]), 2.0)
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        detector.setInputSize(small.shape[1::-1])
        _, rows = detector.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        rows = np.asarray([] if rows is None else rows, np.float64).reshape(-1, 15)
        factors = np.array(rgb.shape[1::-1]) / np.array(small.shape[1::-1])
        points = (rows[:, 4:14].reshape(-1, 5, 2) + 0.5) * factors - 0.5
        return [pick(face, SCHEME_YUNET) for face in points]

    return predict


def open_mesh(options: Options) -> Predict:
    """MediaPipe's Face Mesh, on single photos or, with `video`, with tracking."""
    import mediapipe as mp

    mesh = mp.solutions.face_mesh.FaceMesh(
        static_image_mode=not options.get("video"),
        max_num_faces=options.get("max_faces", 1),
        refine_landmarks=options.get("refine", False),
    )

    def predict(rgb: Any) -> list[Any]:
        if isinstance(rgb, str):
            rgb = mp.Image.create_from_file(rgb).numpy_view()
        faces = mesh.process(rgb).multi_face_landmarks or []
        return [_points(_in_px(face.landmark, rgb), SCHEME_MESH, options) for face in faces]

    return predict


def open_blaze(options: Options) -> Predict:
    """MediaPipe's short-range face detector."""
    import mediapipe as mp

    detector = mp.solutions.face_detection.FaceDetection(model_selection=0)

    def predict(rgb: Any) -> list[Any]:
        faces = detector.process(rgb).detections or []
        points = [face.location_data.relative_keypoints for face in faces]
        return [pick(_in_px(landmarks, rgb), SCHEME_BLAZE) for landmarks in points]

    return predict


def _in_px(landmarks: Any, rgb: Any) -> list[tuple[float, float]]:
    height, width = rgb.shape[:2]
    return [(point.x * width - 0.5, point.y * height - 0.5) for point in landmarks]


def open_dlib(options: Options) -> Predict:
    """Dlib's HOG detector, and its 68 points by an ensemble of regression trees."""
    import dlib
    import face_recognition_models

    detect = dlib.get_frontal_face_detector()
    shape_predictor = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())

    def predict(rgb: Any) -> list[Any]:
        shapes = [shape_predictor(rgb, box) for box in detect(rgb, 0)]
        faces = [[(p.x, p.y) for p in shape.parts()] for shape in shapes]
        return [_points(face, SCHEME_68, options) for face in faces]

    return predict


def open_onnx(options: Options) -> Predict:
    """Any landmark model behind our detector: grey or RGB, 15 or 68 points in 0–1 or in px."""
    import numpy as np
    import onnxruntime

    import edge
    from edge.geometry.affine import crop_matrix, invert, transform
    from edge.geometry.face_frame import square_of_box

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options["threads"]
    session = onnxruntime.InferenceSession(
        options["model"], settings, providers=["CPUExecutionProvider"]
    )
    size, _ = _input_size(session)
    name = session.get_inputs()[0].name
    detect = edge.FaceKeypoints(threads=options["threads"])

    def predict(rgb: Any) -> list[Any]:
        faces = []
        for face in detect(rgb):
            matrix = crop_matrix(square_of_box(face.box), size)
            outputs = session.run(None, {name: _network_input(session, rgb, matrix)})
            flat = next(x for x in map(np.asarray, outputs) if x.size in (30, 136))
            points = flat.astype(np.float64).reshape(-1, 2)
            is_relative = points.max() <= 2
            in_image = transform(invert(matrix), points * size - 0.5 if is_relative else points)
            faces.append(pick(in_image, SCHEME_68 if len(points) == 68 else IDENTITY))
        return faces

    return predict


def _input_size(session: Any) -> tuple[int, int]:
    """Side and channels of a model's input, `(N, S, S, C)` or `(N, C, S, S)`."""
    sides = [side for side in session.get_inputs()[0].shape[1:] if isinstance(side, int)]
    return max(sides), min(sides)


def _network_input(session: Any, rgb: Any, matrix: Any) -> Any:
    """The crop of a face in the layout and dtype of a model's input; floats are in 0–1."""
    import numpy as np

    from edge.crop import cut
    from edge.image import to_grey

    tensor = session.get_inputs()[0]
    size, channels = _input_size(session)
    image = rgb if channels == 3 else to_grey(rgb)[..., None]
    planes = [cut(np.ascontiguousarray(image[..., i]), matrix, size) for i in range(channels)]
    crop = np.stack(planes, axis=0 if tensor.shape[1] == channels else -1)[None]
    return crop if tensor.type == "tensor(uint8)" else crop.astype(np.float32) / 255


METHODS: dict[str, Callable[[Options], Predict]] = {
    "edge": open_edge, "cascade": open_cascade, "yunet": open_yunet, "mesh": open_mesh,
    "blaze": open_blaze, "dlib": open_dlib, "onnx": open_onnx,
}  # fmt: skip


def use_one_core() -> None:
    """Restrict this process to the last of its cores, whatever threads a library starts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def peak_mb() -> float:
    """The largest resident set of this process, 10⁶ bytes."""
    # getrusage also counts the memory of the parent when it started this process.
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(line for line in status if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024 / 1e6


def read_images(request: dict[str, Any]) -> list[Any]:
    """The images that a request names, uint8 `(H, W, 3)` RGB each."""
    import numpy as np

    with np.load(request["images"]) as images:
        return [images[name] for name in request["names"]]


def time_images(predict: Predict, images: list[Any]) -> dict[str, list[float]]:
    """The time of each image and the CPU time of all threads, ms."""
    times_ms: dict[str, list[float]] = {"ms": [], "cpu_ms": []}
    for image in images:
        start, cpu_start = time.perf_counter_ns(), time.process_time_ns()
        predict(image)
        times_ms["ms"].append((time.perf_counter_ns() - start) / 1e6)
        times_ms["cpu_ms"].append((time.process_time_ns() - cpu_start) / 1e6)
    return times_ms


class Session:
    """A method, opened by the first request that needs it, and the images that it last read."""

    def __init__(self, options: Options) -> None:
        """Use a method's options; `method` is a key of `METHODS`."""
        self._options = options
        self._predict: Predict | None = None
        self._images: tuple[Any, list[Any]] = (None, [])

    def respond(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a request."""
        if request["request"] == "memory":
            return {"mb": peak_mb()}
        if request["request"] == "first":
            return self._first(request)
        predict = self._open()
        images = self._read(request)
        if request["request"] == "time":
            return time_images(predict, images)
        return {"faces": [predict(image) for image in images]}

    def _first(self, request: dict[str, Any]) -> dict[str, Any]:
        import numpy as np

        image = np.load(request["image"])
        begin = time.perf_counter()
        predict = self._open()
        opened = time.perf_counter()
        predict(image)
        return {
            "open_ms": (opened - begin) * 1e3,
            "look_ms": (time.perf_counter() - opened) * 1e3,
            "since_start_ms": (time.time() - STARTED) * 1e3,
        }

    def _open(self) -> Predict:
        if self._predict is None:
            self._predict = METHODS[self._options["method"]](self._options)
        return self._predict

    def _read(self, request: dict[str, Any]) -> list[Any]:
        if "files" in request:
            return list(request["files"])
        key = (request["images"], request["names"])
        if self._images[0] != key:
            self._images = (key, read_images(request))
        return self._images[1]


def main() -> None:
    """Answer on the original standard output; what libraries print goes to standard error."""
    options = json.loads(sys.argv[1])
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if options["threads"] == 1:
        use_one_core()
    options["threads"] = options["threads"] or os.cpu_count()
    session = Session(options)
    for line in sys.stdin:
        print(json.dumps(session.respond(json.loads(line))), file=output, flush=True)


if __name__ == "__main__":
    main()
