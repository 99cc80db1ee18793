"""How close a network comes to the peak performance of one core.

The peak is that of a matrix product, measured in the same run with one thread: onnxruntime
multiplies two square float32 matrices. A multiply-add counts as two operations. A network that
computes in 8 bits, or with fewer products (Winograd), may exceed it.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.harness.timing import Call, RunLength, time_interleaved
from benchmarks.latency.model_size import count_multiply_adds_per_layer
from edge.extras import require

_SIDE = 512  # of the matrices, which fit a core's second-level cache
_RUN_LENGTH = RunLength(50, 1.0)
_PROFILED_RUNS = 200
_KERNEL = "_kernel_time"  # suffix of the profiler's events that time an operator
# What onnxruntime adds to a node's name when it fuses operators or changes their layout.
_NAME_CHANGES = (r"^fused |_nchwc$|_token_\d+$", "/MatMulAddFusion$")


def matrix_rate() -> float:
    """Peak performance of one thread, 10⁹ operations per second: the fastest of many products.

    Raises:
        MissingExtra: the package `onnx` is not installed.
    """
    call, operations = matrix_product()
    times_ms = time_interleaved({"product": call}, _RUN_LENGTH)["product"]
    return float(operations / (times_ms.min() * 1e6))


def matrix_product() -> tuple[Call, int]:
    """A product of two matrices by one thread, and the number of its operations.

    Raises:
        MissingExtra: the package `onnx` is not installed.
    """
    session = _open(_product_model())
    rng = np.random.default_rng(0)
    feed = {name: rng.normal(size=(_SIDE, _SIDE)).astype(np.float32) for name in "ab"}
    return lambda: session.run(["c"], feed), 2 * _SIDE**3


def _product_model() -> bytes:
    """A model that multiplies `a` and `b`, float32 `(512, 512)`, to `c`."""
    onnx = require("onnx", "bench", "the matrix rate")
    shape = [_SIDE, _SIDE]
    matrices = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in "abc"
    ]
    node = onnx.helper.make_node("MatMul", ["a", "b"], ["c"])
    graph = onnx.helper.make_graph([node], "product", matrices[:2], matrices[2:])
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def profile_layers(path: Path, feed: dict[str, Any]) -> list[dict[str, Any]]:
    """Time and multiply-adds of each operator of a model, by onnxruntime's profiler.

    Args:
        path: an `.onnx` file.
        feed: the model's inputs, by name.

    Returns:
        One row per operator, in order of execution: `name`, `operator`, `median_us` and
        `multiply_adds` (0 for operators without weights).

    Raises:
        MissingExtra: the package `onnx` is not installed.
    """
    multiply_adds = count_multiply_adds_per_layer(path)
    durations: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in _profile(path, feed):
        if event.get("cat") == "Node" and event["name"].endswith(_KERNEL):
            name = event["name"].removesuffix(_KERNEL)
            durations[name, event["args"]["op_name"]].append(event["dur"])
    return [
        {
            "name": name,
            "operator": operator,
            "median_us": float(np.median(us[len(us) // 10 :])),
            "multiply_adds": _of_operator(multiply_adds, name),
        }
        for (name, operator), us in durations.items()
    ]


def _profile(path: Path, feed: dict[str, Any]) -> list[dict[str, Any]]:
    """The profiler's events of many runs."""
    with tempfile.TemporaryDirectory() as folder:
        session = _open(str(path), Path(folder) / "profile")
        for _ in range(_PROFILED_RUNS):
            session.run(None, feed)
        events: list[dict[str, Any]] = json.loads(
            Path(session.end_profiling()).read_text(encoding="utf-8")
        )
    return events


def _of_operator(multiply_adds: dict[str, int], name: str) -> int:
    """The multiply-adds of an operator, also where onnxruntime has changed its name."""
    for change in ("", *_NAME_CHANGES):
        name = re.sub(change, "", name)
        if name in multiply_adds:
            return multiply_adds[name]
    return 0


def _open(model: str | bytes, profile: Path | None = None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
