from benchmarks.runtime import run_sequentially, table


def test_sequential_batches_keep_the_order_and_the_last_may_be_smaller():
    sizes, written = [], []

    def work(batch):
        sizes.append(len(batch))
        return [2 * item for item in batch]

    run_sequentially(range(5), work, written.append, batch=2)
    assert sizes == [2, 2, 1]
    assert written == [0, 2, 4, 6, 8]


def test_the_table_shows_five_points_of_each_curve():
    curve = [(step * 10, 100.0 + step) for step in range(1, 11)]
    text = table(
        {
            "start": {"import_ms": 14.2, "first_result_ms": 321.0},
            "overlap": {"overlapped_photos_a_second": 30.0, "in_turn_photos_a_second": 20.04},
            "memory": {"photos": {"curve": curve}, "frames": {"curve": curve[:1]}},
        }
    )
    assert "| `import edge` | 14 ms |" in text
    assert "| one stage after another | 20.0 a second |" in text
    assert "101 (10), 103 (30), 105 (50), 108 (80), 110 (100)" in text
