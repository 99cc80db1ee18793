"""The results of `benchmarks.run` as Markdown tables, for README and reports."""

from __future__ import annotations

from typing import Any

from benchmarks.reporting.markdown import header, row

_MIN_KEYPOINTS = 10  # a method with fewer has their number beside its error
_MAX_OPERATORS = 16  # rows of a model's operators
_DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "asimddp"}  # features for those of 8-bit numbers
_RACED_MODELS = ("keypoints.onnx", "keypoints.int8.onnx")
# Pairs of ways of `peers`, ours first, which do the same.
_RACES = {
    "a photo, fp32": ("edge fp32", "MediaPipe Face Mesh"),
    "a photo, int8": ("edge int8", "MediaPipe Face Mesh"),
    "a video's frame, fp32": ("edge fp32, tracked", "MediaPipe Face Mesh, tracked"),
    "a video's frame, int8": ("edge int8, tracked", "MediaPipe Face Mesh, tracked"),
}


def table(results: dict[str, Any]) -> str:
    """The models, and the peers where they were measured."""
    parts = [models(results)]
    if results["peers"]:
        parts.append(peers(results))
    return "\n\n".join(parts)


def models(results: dict[str, Any]) -> str:
    """Size, latency of one face and accuracy of each keypoint model, one thread."""
    lines = header("model", "size", "median, one face", "p95", "of the core's matrix rate",
                   "RMSE, asked > 8", "RMSE, asked = 8", "helen")  # fmt: skip
    for model in results["models"]:
        latency = find_single_stream(results, model["model"])
        accuracy = model["accuracy"] or {}
        kaggle, helen = accuracy.get("kaggle", {}), accuracy.get("helen")
        lines.append(
            row(
                model["model"],
                f"{model['size_bytes'] / 1e6:.2f} MB",
                _ms(latency, "p50_ms"),
                _ms(latency, "p95_ms"),
                f"{share_of_peak(results, model):.0%}",
                *(
                    f"{kaggle[name]['rmse_px']:.2f} px" if name in kaggle else "–"
                    for name in ("asked > 8", "asked = 8")
                ),
                f"{helen['error']:.2%}" if helen else "–",
            )
        )
    return "\n".join(lines)


def share_of_peak(results: dict[str, Any], model: dict[str, Any]) -> float:
    """Performance of a model over the matrix rate, one thread."""
    median_ms = find_single_stream(results, model["model"])["p50_ms"]
    return float(2 * model["multiply_adds"] / (median_ms * 1e6) / results["matrix_gflops"])


def find_single_stream(results: dict[str, Any], what: str, threads: int = 1) -> dict[str, Any]:
    """The single-stream row of a measurement.

    Raises:
        KeyError: it is not in the results.
    """
    for measured in results["single_stream"]:
        if (measured["what"], measured["threads"]) == (what, threads):
            return dict(measured)
    raise KeyError(what)


def peers(results: dict[str, Any]) -> str:
    """All methods on the same photos, on one core and on all."""
    lines = header("way", "median, one core", "p95", "all cores", "helen found", "error",
                   "start to first result", "peak memory", "installed")  # fmt: skip
    all_cores = {
        measured["way"]: measured.get("latency")
        for measured in results["peers"]
        if measured["threads"] != 1
    }
    for measured in results["peers"]:
        if measured["threads"] == 1:
            lines.append(_peer_row(measured, all_cores.get(measured["way"])))
    return "\n".join(lines)


def processors(*machines: dict[str, Any]) -> str:
    """Ours beside MediaPipe on processors of different kinds, one thread; a column for each."""
    lines = header("", *(_kind(results) for results in machines))
    for name, ways in _RACES.items():
        times = [[_one_core(results, way)["latency"]["p50_ms"] for way in ways]
                 for results in machines]  # fmt: skip
        lines.append(row(name, *(_against(ours, theirs) for ours, theirs in times)))
    starts = [[_one_core(results, way)["start"]["total_ms"] for way in _RACES["a photo, int8"]]
              for results in machines]  # fmt: skip
    lines.append(row("to the first result, int8", *(_against(*pair) for pair in starts)))
    for model in _RACED_MODELS:
        shares = [
            share_of_peak(results, next(m for m in results["models"] if m["model"] == model))
            for results in machines
        ]
        name = f"{model}, of the core's matrix rate"
        lines.append(row(name, *(f"{share:.0%}" for share in shares)))
    lines.append(row("commit", *(results["machine"]["commit"] for results in machines)))
    return "\n".join(lines)


def _kind(results: dict[str, Any]) -> str:
    found = sorted(_DOT_PRODUCTS.intersection(results["machine"]["features"]))
    features = ", ".join(found) if found else "no 8-bit dot products"
    return f"{results['machine']['processor']}, {features}"


def _one_core(results: dict[str, Any], way: str) -> dict[str, Any]:
    """The row of `peers` of a method with one thread."""
    rows = (row for row in results["peers"] if (row["way"], row["threads"]) == (way, 1))
    return dict(next(rows))


def _against(ours_ms: float, theirs_ms: float) -> str:
    return f"{ours_ms:.2f} of {theirs_ms:.2f} ms: {ours_ms / theirs_ms:.2f} ×"


def _peer_row(measured: dict[str, Any], all_cores: dict[str, Any] | None) -> str:
    if "failure" in measured:
        return row(measured["way"], measured["failure"], *[""] * 7)
    return row(
        measured["way"],
        _ms(measured["latency"], "p50_ms"),
        _ms(measured["latency"], "p95_ms"),
        _ms(all_cores, "p50_ms") if all_cores else "–",
        *_accuracy_cells(measured.get("accuracy")),
        f"{measured['start']['total_ms']:.0f} ms",
        f"{measured['memory_mb']:.0f} MB",
        f"{measured['installed_mb']:.0f} MB",
    )


def _accuracy_cells(measured: dict[str, Any] | None) -> tuple[str, str]:
    """Faces found, and their error."""
    if not measured or measured["found"] is None:
        return "–", "–"
    found = f"{measured['found']} of {measured['faces']}"
    if "error" not in measured:
        return found, "–"
    keypoints = measured["keypoints"]
    note = f" ({keypoints} points)" if keypoints < _MIN_KEYPOINTS else ""
    return found, f"{measured['error']:.2%}{note}"


def offline(results: dict[str, Any]) -> str:
    """Faces per second: a row per model and number of threads, a column per batch size."""
    batch_sizes = sorted({measured["batch"] for measured in results["offline"]})
    rates = {
        (measured["model"], measured["threads"], measured["batch"]): measured["faces_a_second"]
        for measured in results["offline"]
    }
    lines = header("faces a second", "threads", *(f"{size} at once" for size in batch_sizes))
    for model, threads in dict.fromkeys(key[:2] for key in rates):
        cells = [f"{rates[model, threads, size]:,.0f}" for size in batch_sizes]
        lines.append(row(model, str(threads), *cells))
    return "\n".join(lines)


def stages(results: dict[str, Any]) -> str:
    """Median of each stage of a photo."""
    lines = header("stage", "median", "p95")
    lines += [
        row(name, _ms(latency, "p50_ms"), _ms(latency, "p95_ms"))
        for name, latency in results["stages"].items()
    ]
    return "\n".join(lines)


def layers(results: dict[str, Any], model: str) -> str:
    """The slowest operators of a model, and their performance."""
    lines = header("operator", "median", "multiply-adds", "Gop/s")
    slowest = sorted(results["layers"][model], key=lambda layer: -layer["median_us"])
    for layer in slowest[:_MAX_OPERATORS]:
        rate = 2 * layer["multiply_adds"] / layer["median_us"] / 1e3
        lines.append(
            row(
                f"{layer['operator']} `{layer['name']}`",
                f"{layer['median_us']:.0f} µs",
                f"{layer['multiply_adds'] / 1e6:.2f} M",
                f"{rate:.0f}" if rate else "–",
            )
        )
    return "\n".join(lines)


def precision(results: dict[str, Any]) -> str:
    """The choice of `precision="auto"`, and the latency of both files in this run."""
    lines = header("network", "threads", "fp32", "int8", "auto chose")
    for chosen in results["auto"]:
        for network, name, suffix in (
            ("keypoints", "keypoints.onnx", ""), ("detector", "face.onnx", ", 320×240"),
        ):  # fmt: skip
            files = [name, name.replace(".onnx", ".int8.onnx")]
            cells = [
                _ms(find_single_stream(results, f"{file}{suffix}", chosen["threads"]), "p50_ms")
                for file in files
            ]
            choice = "int8" if chosen[network] == files[1] else "fp32"
            lines.append(row(network, str(chosen["threads"]), *cells, choice))
    return "\n".join(lines)


def machine(results: dict[str, Any]) -> str:
    """The machine, its software, and its temperature before and after."""
    heat = results["heat"]
    facts = {
        **results["machine"],
        "matrix product, one thread": f"{results['matrix_gflops']} Gop/s",
    }
    for name, before in heat["before"].items():
        if before is not None:
            facts[f"{name} before and after"] = f"{before}, {heat['after'][name]}"
    lines = header("machine", "")
    for name, value in facts.items():
        text = ", ".join(value) if isinstance(value, list) else value
        lines.append(row(name, "unknown" if text is None else str(text)))
    return "\n".join(lines)


def _ms(latency: dict[str, Any], key: str) -> str:
    note = " (shaky)" if latency["shaky"] and key == "p50_ms" else ""
    return f"{latency[key]:.2f} ms{note}"
