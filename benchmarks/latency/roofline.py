"""How near a network comes to what the core can do.

The limit is the core's own matrix product, measured in the same run with one thread: onnxruntime
multiplies two square matrices of float32. A multiply-add counts as two operations. A network that
computes in 8 bits, or by a way that saves products (Winograd), may exceed it.
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

from benchmarks.harness.timing import Amount, time_in_turn
from benchmarks.latency.model_size import count_nodes

_SIDE = 512  # of the matrices; they fit a core's second cache
_PROFILED_RUNS = 200


def matrix_rate(amount: Amount = Amount(50, 1.0)) -> float:  # noqa: B008 - frozen
    """Gigaoperations a second of one thread: of the quickest of many products."""
    import onnx
    from onnx import TensorProto, helper

    shape = [_SIDE, _SIDE]
    matrices = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "abc"]
    node = helper.make_node("MatMul", ["a", "b"], ["c"])
    graph = helper.make_graph([node], "product", matrices[:2], matrices[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    session = _open(model.SerializeToString())
    rng = np.random.default_rng(0)
    feed = {name: rng.normal(size=shape).astype(np.float32) for name in "ab"}
    times = time_in_turn({"product": lambda: session.run(["c"], feed)}, amount)["product"]
    return float(2 * _SIDE**3 / (times.min() * 1e6))


def layers(path: Path, feed: dict[str, Any]) -> list[dict[str, Any]]:
    """Time and multiply-adds of each operator of a model, from onnxruntime's own profiler.

    Args:
        path: an `.onnx` file.
        feed: what it is run on, by input.

    Returns:
        One row an operator, in order of execution: `name`, `operator`, `median_us` and
        `multiply_adds` (0 where it has no weights).
    """
    additions = count_nodes(path)
    with tempfile.TemporaryDirectory() as folder:
        session = _open(str(path), Path(folder) / "profile")
        for _ in range(_PROFILED_RUNS):
            session.run(None, feed)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    spent: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            name = event["name"].removesuffix("_kernel_time")
            spent[name, event["args"]["op_name"]].append(event["dur"])
    return [
        {
            "name": name,
            "operator": operator,
            "median_us": float(np.median(us[len(us) // 10 :])),
            "multiply_adds": _of_node(additions, name),
        }
        for (name, operator), us in spent.items()
    ]


def _of_node(additions: dict[str, int], name: str) -> int:
    """The multiply-adds of an operator whose name onnxruntime has changed while fusing."""
    for added in ("", r"^fused |_nchwc$|_token_\d+$", "/MatMulAddFusion$"):
        name = re.sub(added, "", name)
        if name in additions:
            return additions[name]
    return 0


def _open(model: str | bytes, profile: Path | None = None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
