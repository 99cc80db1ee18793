"""Results in the form of `benchmarks.run`."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from benchmarks.harness.timing import summarise


def timed(median, **more):
    return {**more, **json.loads(json.dumps(asdict(summarise(np.full(5, median)))))}


def peer(way, median, threads=1, **more):
    return {
        "way": way, "peer": "x", "threads": threads, "video": False, "latency": timed(median),
        "memory_mb": 50.0, "installed_mb": 100.0, "start": {"total_ms": 300.0}, **more,
    }  # fmt: skip


@pytest.fixture
def results():
    heat = {"temperature_c": 50.0, "clock_mhz": None, "throttled": None}
    curve = [0.01, 0.05]
    errors = {"faces": 10, "found": 9, "keypoints": 15, "error": 0.03, "curve": curve}
    return {
        "format": 1,
        "machine": {
            "processor": "A <fast> one", "features": ["avx2"], "cores": 2, "architecture": "x",
            "system": "Linux", "threads": 2, "python": "3.11", "time": "2026-01-01", "board": None,
        },
        "amount": {"queries": 5, "seconds": 1.0},
        "matrix_gflops": 100.0,
        "models": [{
            "model": "k.onnx", "version": "v", "size_bytes": 2_000_000, "sha256": "0",
            "parameters": 1, "multiply_adds": 25_000_000, "accuracy": None,
        }],
        "detectors": [{"file": "f.onnx", "size_bytes": 1, "sha256": "0", "parameters": 1}],
        "auto": [],
        "single_stream": [
            timed(1.0, what="k.onnx", threads=1), timed(0.7, what="k.onnx", threads=2)
        ],
        "offline": [
            {"model": "k.onnx", "threads": 1, "batch": b, "faces_a_second": 1000.0 + b}
            for b in (1, 4)
        ],
        "layers": {"k.onnx": [
            {"name": "c", "operator": "Conv", "median_us": 100.0, "multiply_adds": 5_000_000}
        ]},
        "stages": {"decode": timed(2.0)},
        "start": {"python_ms": 10.0},
        "peers": [
            peer("ours", 3.0, accuracy=errors), peer("ours", 2.0, threads=0),
            {"way": "theirs", "peer": "y", "threads": 1, "video": False, "failure": "no wheel"},
        ],
        "heat": {"before": heat, "after": {**heat, "temperature_c": 60.0}},
    }  # fmt: skip
