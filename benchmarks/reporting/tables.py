"""The results of `benchmarks.run` as Markdown tables: what README and reports show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def table(results: dict[str, Any]) -> str:
    """The models, and the peers where they were measured."""
    parts = [models(results)]
    if results["peers"]:
        parts.append(peers(results))
    return "\n\n".join(parts)


def models(results: dict[str, Any]) -> str:
    """Size, latency of one face and accuracy of each keypoint model, one thread."""
    lines = _head("model", "size", "median, one face", "p95", "of the core's matrix rate",
                  "RMSE, asked > 8", "RMSE, asked = 8", "helen")  # fmt: skip
    for row in results["models"]:
        time = single(results, row["model"])
        accuracy = row["accuracy"] or {}
        kaggle = accuracy.get("kaggle", {})
        rmse = [
            f"{kaggle[name]['rmse_px']:.2f} px" if name in kaggle else "–"
            for name in ("asked > 8", "asked = 8")
        ]
        helen = f"{accuracy['helen']['error']:.2%}" if "helen" in accuracy else "–"
        lines.append(
            _row(row["model"], f"{row['size_bytes'] / 1e6:.2f} MB", _ms(time, "p50_ms"),
                 _ms(time, "p95_ms"), f"{share_of_limit(results, row):.0%}", *rmse, helen)
        )  # fmt: skip
    return "\n".join(lines)


def share_of_limit(results: dict[str, Any], model: dict[str, Any]) -> float:
    """Operations a second of a model's median, over the matrix rate, one thread."""
    median_ms = single(results, model["model"])["p50_ms"]
    return float(2 * model["multiply_adds"] / (median_ms * 1e6) / results["matrix_gflops"])


def single(results: dict[str, Any], what: str, threads: int = 1) -> dict[str, Any]:
    """The single-stream row of something; raises KeyError where it was not measured."""
    for row in results["single_stream"]:
        if (row["what"], row["threads"]) == (what, threads):
            return dict(row)
    raise KeyError(what)


def peers(results: dict[str, Any]) -> str:
    """Everything that was run on the same photos, one thread and as many as each likes."""
    lines = _head("way", "median, one core", "p95", "all cores", "helen found", "error",
                  "start to first result", "peak memory", "installed")  # fmt: skip
    every = {row["way"]: row for row in results["peers"] if row["threads"] != 1}
    for row in results["peers"]:
        if row["threads"] != 1:
            continue
        if "failure" in row:
            lines.append(_row(row["way"], row["failure"], *[""] * 7))
            continue
        other = every.get(row["way"], {}).get("latency")
        lines.append(
            _row(row["way"], _ms(row["latency"], "p50_ms"), _ms(row["latency"], "p95_ms"),
                 _ms(other, "p50_ms") if other else "–", *_accuracy(row.get("accuracy")),
                 f"{row['start']['total_ms']:.0f} ms", f"{row['memory_mb']:.0f} MB",
                 f"{row['installed_mb']:.0f} MB")
        )  # fmt: skip
    return "\n".join(lines)


def _accuracy(measured: dict[str, Any] | None) -> Sequence[str]:
    if not measured or measured["found"] is None:
        return "–", "–"
    found = f"{measured['found']} of {measured['faces']}"
    if "error" not in measured:
        return found, "–"
    few = "" if measured["keypoints"] > 9 else f" ({measured['keypoints']} points)"
    return found, f"{measured['error']:.2%}{few}"


def offline(results: dict[str, Any]) -> str:
    """Faces a second of each model and number of threads, a column for each batch size."""
    batches = sorted({row["batch"] for row in results["offline"]})
    rates = {(row["model"], row["threads"], row["batch"]): row["faces_a_second"]
             for row in results["offline"]}  # fmt: skip
    lines = _head("faces a second", "threads", *(f"{batch} at once" for batch in batches))
    for model, threads in dict.fromkeys(key[:2] for key in rates):
        cells = [f"{rates[model, threads, batch]:,.0f}" for batch in batches]
        lines.append(_row(model, str(threads), *cells))
    return "\n".join(lines)


def stages(results: dict[str, Any]) -> str:
    """Median of each stage of a photo."""
    lines = _head("stage", "median", "p95")
    lines += [
        _row(name, _ms(row, "p50_ms"), _ms(row, "p95_ms"))
        for name, row in results["stages"].items()
    ]
    return "\n".join(lines)


def layers(results: dict[str, Any], model: str) -> str:
    """The operators of a model that take longest, and how fast they multiply."""
    lines = _head("operator", "median", "multiply-adds", "Gop/s")
    rows = sorted(results["layers"][model], key=lambda row: -row["median_us"])
    for row in rows[:16]:
        rate = 2 * row["multiply_adds"] / row["median_us"] / 1e3
        lines.append(
            _row(f"{row['operator']} `{row['name']}`", f"{row['median_us']:.0f} µs",
                 f"{row['multiply_adds'] / 1e6:.2f} M", f"{rate:.0f}" if rate else "–")
        )  # fmt: skip
    return "\n".join(lines)


def precision(results: dict[str, Any]) -> str:
    """What precision "auto" chose, beside what both took in this run."""
    lines = _head("network", "threads", "fp32", "int8", "auto chose")
    for row in results["auto"]:
        for what, name, suffix in (
            ("keypoints", "keypoints.onnx", ""), ("detector", "face.onnx", ", 320×240"),
        ):  # fmt: skip
            files = [name, name.replace(".onnx", ".int8.onnx")]
            times = [single(results, f"{file}{suffix}", row["threads"]) for file in files]
            chosen = "int8" if row[what] == files[1] else "fp32"
            cells = [_ms(time, "p50_ms") for time in times]
            lines.append(_row(what, str(row["threads"]), *cells, chosen))
    return "\n".join(lines)


def machine(results: dict[str, Any]) -> str:
    """The machine sheet."""
    heat = results["heat"]
    facts = {
        **results["machine"],
        "matrix product, one thread": f"{results['matrix_gflops']} Gop/s",
    }
    for name in heat["before"]:
        if heat["before"][name] is not None:
            facts[f"{name} before and after"] = f"{heat['before'][name]}, {heat['after'][name]}"
    lines = _head("machine", "")
    for name, value in facts.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        lines.append(_row(name, "not told" if shown is None else str(shown)))
    return "\n".join(lines)


def _ms(row: dict[str, Any], key: str) -> str:
    return f"{row[key]:.2f} ms{' (shaky)' if row['shaky'] and key == 'p50_ms' else ''}"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), "|---" * len(cells) + "|"]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
