from benchmarks.harness import cold_start


def test_each_part_is_the_time_that_it_adds(monkeypatch):
    # Seconds of each command: the first start is discarded.
    seconds = {"pass": [9, 1, 3], "import edge": [9, 4, 6]}
    started, now = [], [0]

    def run(command, **options):
        code = command[-1]
        started.append(code)
        values = seconds.get(code, [9, 10, 10] if code.startswith("import") else [9, 20, 22])
        now[0] += int(values[(len(started) - 1) // 4] * 1e9)

    monkeypatch.setattr(cold_start, "_STARTS", 2)
    monkeypatch.setattr(cold_start.subprocess, "run", run)
    monkeypatch.setattr(cold_start.time, "perf_counter_ns", lambda: now[0])
    assert cold_start.measure_starts() == {
        "python_ms": 2000.0, "import_ms": 3000.0, "open_ms": 5000.0, "first_result_ms": 21000.0
    }  # fmt: skip
    assert started[:4] == started[4:8] == started[8:]
