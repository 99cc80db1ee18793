"""Runs one network in one engine and in onnxruntime, interleaved, and writes what both answered.

It is run by path, by the interpreter of the engine's environment and isolated (`-I`), so it must
stay one file that imports nothing of this project. Its argument is a JSON object: `engine`,
`network` (see `benchmarks.engines.networks.Network`), `inputs`, a `.npy` file of images uint8
`(N, H, W, 1)`, `output`, the `.npz` file to write, `folder` for converted files, and `rounds`.

It prints `{"ms": [...], "onnxruntime_ms": [...]}`, the CPU time of each image; the `.npz` has
`engine_<i>_<name>` and `onnxruntime_<i>_<name>`, the outputs of image i.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Network = dict[str, Any]
Predict = Callable[[Any], dict[str, Any]]  # from uint8 `(1, H, W, 1)` to outputs by name


def open_onnxruntime(network: Network, folder: Path) -> Predict:
    """The reference."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        network["file"], settings, providers=["CPUExecutionProvider"]
    )
    names = network["outputs"]
    return lambda image: dict(
        zip(names, session.run(names, {network["input"]: image}), strict=True)
    )


def open_openvino(network: Network, folder: Path) -> Predict:
    """OpenVINO reads the file itself; here it computes in float32."""
    return _open_openvino(network, {"INFERENCE_PRECISION_HINT": "f32"})


def open_openvino_default(network: Network, folder: Path) -> Predict:
    """OpenVINO as it is unless told otherwise: it rounds to bfloat16 on cores that have that."""
    return _open_openvino(network, {})


def _open_openvino(network: Network, precision: dict[str, str]) -> Predict:
    import openvino

    settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", **precision}
    model = openvino.Core().compile_model(network["file"], "CPU", settings)

    def predict(image: Any) -> dict[str, Any]:
        answers = model(image)
        return {name: answers[name].copy() for name in network["outputs"]}

    return predict


def open_ncnn(network: Network, folder: Path) -> Predict:
    """Ncnn has no integers as input: the pixels come as floats, and pnnx converts the file."""
    import ncnn
    import numpy as np

    if network["floats"] is None:
        raise ValueError("ncnn takes no integers, of which this file computes its scaled pixels")
    net = ncnn.Net()
    net.opt.num_threads = 1
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
        setattr(net.opt, option, False)
    param = _convert_by_pnnx(Path(network["floats"]), network["shape"], folder)
    for load, path in ((net.load_param, param), (net.load_model, param.with_suffix(".bin"))):
        if load(str(path)):
            raise ValueError(f"ncnn cannot load the converted {path.suffix[1:]} file")
    order = network["outputs"]

    def predict(image: Any) -> dict[str, Any]:
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(image.astype(np.float32), batch_index=0).clone())
        answers = (np.array(extractor.extract(f"out{i}")[1])[None] for i in range(len(order)))
        return dict(zip(order, answers, strict=True))

    return predict


def _convert_by_pnnx(file: Path, shape: list[int], folder: Path) -> Path:
    """Convert a file; returns the path of ncnn's `.param`."""
    spec = importlib.util.find_spec("pnnx")
    program = Path(str(spec and spec.origin)).with_name("pnnx")  # its launcher imports PyTorch
    program.chmod(0o755)
    copy = folder / "network.onnx"
    copy.write_bytes(file.read_bytes())
    size = ",".join(map(str, shape))
    _convert([str(program), str(copy), f"inputshape=[{size}]f32", "fp16=0"], folder)
    return folder / "network.ncnn.param"


def _convert(command: list[str], folder: Path) -> None:
    """Run a converter; raises ValueError with the last line that it wrote, if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise ValueError(f"the converter ended with {done.returncode}: {(lines or [''])[-1]}")


def open_litert(network: Network, folder: Path) -> Predict:
    """LiteRT, once TensorFlow Lite; onnx2tf converts the file."""
    from ai_edge_litert.interpreter import Interpreter

    converter = Path(sys.executable).with_name("onnx2tf")
    command = [str(converter), "-i", network["fixed"], "-o", str(folder), "-n", "-v", "error"]
    _convert([*command, "-kat", network["input"]], folder)
    (file,) = folder.glob("*_float32.tflite")
    interpreter = Interpreter(str(file), num_threads=1)
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    targets = {target["name"]: target["index"] for target in interpreter.get_output_details()}

    def predict(image: Any) -> dict[str, Any]:
        interpreter.set_tensor(source["index"], image)
        interpreter.invoke()
        return {name: interpreter.get_tensor(targets[name]) for name in network["outputs"]}

    return predict


def open_mnn(network: Network, folder: Path) -> Predict:
    """MNN with its own converter."""
    import MNN
    import numpy as np

    converter = Path(sys.executable).with_name("mnnconvert")
    file = folder / "network.mnn"
    command = [str(converter), "-f", "ONNX", "--modelFile", network["file"]]
    _convert([*command, "--MNNModel", str(file), "--bizCode", "edge"], folder)
    runtime = MNN.nn.create_runtime_manager(({"backend": 0, "numThread": 1, "precision": "high"},))
    net = MNN.nn.load_module_from_file(
        str(file), [network["input"]], network["outputs"], runtime_manager=runtime
    )

    def predict(image: Any) -> dict[str, Any]:
        value = MNN.expr.const(image, list(image.shape), MNN.expr.NCHW, MNN.expr.uint8)
        answers = [np.array(answer.read()) for answer in net.forward([value])]
        if len(answers) != len(network["outputs"]):
            raise ValueError(f"MNN gives {len(answers)} of {len(network['outputs'])} outputs")
        return dict(zip(network["outputs"], answers, strict=True))

    return predict


def open_coreml(network: Network, folder: Path) -> Predict:
    """Core ML, from the Keras model: coremltools reads no ONNX, and no integers as input."""
    import coremltools
    import keras
    import tensorflow

    model = keras.saving.load_model(network["keras"], compile=False)
    settings = model.get_config()
    settings["layers"][0]["config"].update(dtype="float32", batch_shape=network["shape"])
    floats = type(model).from_config(settings)
    floats.set_weights(model.get_weights())
    signature = [tensorflow.TensorSpec(network["shape"], tensorflow.float32, network["input"])]
    program = tensorflow.function(lambda x: floats(x, training=False), input_signature=signature)
    converted = coremltools.convert(
        [program.get_concrete_function()], source="tensorflow", convert_to="mlprogram"
    )
    converted.save(str(folder / "network.mlpackage"))
    return lambda image: dict(converted.predict({network["input"]: image.astype("float32")}))


ENGINES: dict[str, Callable[[Network, Path], Predict]] = {
    "onnxruntime": open_onnxruntime, "openvino": open_openvino,
    "openvino_default": open_openvino_default, "ncnn": open_ncnn, "litert": open_litert,
    "mnn": open_mnn, "coreml": open_coreml,
}  # fmt: skip


def measure(job: dict[str, Any]) -> dict[str, list[float]]:
    """Run all images in both; the first pass is compared, the others are timed."""
    import numpy as np

    network, folder = job["network"], Path(job["folder"])
    images = [image[None] for image in np.load(job["inputs"])]
    both = {
        "engine": ENGINES[job["engine"]](network, folder),
        "onnxruntime": open_onnxruntime(network, folder),
    }
    answers = {
        f"{who}_{i}_{name}": value
        for who, predict in both.items()
        for i, image in enumerate(images)
        for name, value in predict(image).items()
    }
    np.savez(job["output"], **answers)
    times_ms: dict[str, list[float]] = {who: [] for who in both}
    for image in images * job["rounds"]:
        for who, predict in both.items():
            start = time.process_time_ns()  # other programs do not count
            predict(image)
            times_ms[who].append((time.process_time_ns() - start) / 1e6)
    return {"ms": times_ms["engine"], "onnxruntime_ms": times_ms["onnxruntime"]}


def use_one_core() -> None:
    """Restrict this process to the last of its cores, whatever threads a library starts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    """Answer on the original standard output; what libraries print goes to standard error."""
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    use_one_core()
    print(json.dumps(measure(json.loads(sys.argv[1]))), file=output)


if __name__ == "__main__":
    main()
