import threading
import time

import pytest

from edge.run.pipeline import Bounds, run_pipeline


def unchanged(batch):
    return batch


def test_results_keep_the_order_of_the_items_and_batches_their_limit():
    sizes, written = [], []

    def process(batch):
        sizes.append(len(batch))
        return [item * 10 for item in batch]

    run_pipeline(range(10), process, written.append, batch=4)
    assert written == [item * 10 for item in range(10)]
    assert sum(sizes) == 10
    assert 1 <= min(sizes) <= max(sizes) <= 4


def test_without_items_nothing_is_processed_or_written():
    run_pipeline([], pytest.fail, pytest.fail, batch=4)


def test_reading_and_writing_have_threads_of_their_own():
    main, readers, writers = threading.get_ident(), set(), set()

    def items():
        for item in range(5):
            readers.add(threading.get_ident())
            yield item

    run_pipeline(items(), unchanged, lambda _: writers.add(threading.get_ident()))
    assert len(readers) == len(writers) == 1
    assert len(readers | writers | {main}) == 3


def test_the_queue_bounds_how_far_reading_is_ahead():
    largest_lead = 0
    read, processed = [], []

    def items():
        for item in range(40):
            read.append(item)
            yield item

    def process(batch):
        nonlocal largest_lead
        time.sleep(0.002)
        largest_lead = max(largest_lead, len(read) - len(processed))
        processed.extend(batch)
        return batch

    run_pipeline(items(), process, lambda _: None, bounds=Bounds(queue_size=4))
    assert largest_lead <= 4 + 3  # the queue, an item on either side of it, and the batch


def test_memory_is_bounded_but_a_larger_item_is_allowed_alone():
    held = largest = 0
    lock = threading.Lock()

    def items():
        nonlocal held, largest
        for size in (3, 3, 3, 50, 3, 3, 3):
            yield size
            with lock:  # the next item is requested: this one is within the budget
                held += size
                largest = max(largest, held if size < 10 else 0)

    def write(size):
        nonlocal held
        time.sleep(0.005)
        with lock:
            held -= size

    bounds = Bounds(queue_size=20, memory=6, size_of=lambda size: size)
    run_pipeline(items(), unchanged, write, bounds=bounds)
    assert held == 0
    assert largest <= 6 + 3  # an item may be counted here before another is subtracted there


def test_a_reader_that_waits_for_memory_does_not_block_the_end():
    def fail(_):
        raise ValueError("write failed")

    bounds = Bounds(queue_size=2, memory=2, size_of=lambda _: 1)
    with pytest.raises(ValueError, match="write failed"):
        run_pipeline(range(9), unchanged, fail, bounds=bounds)


@pytest.mark.parametrize("stage", ["read", "process", "write"])
def test_an_error_in_any_stage_is_raised_after_the_results_before_it_are_written(stage):
    written = []

    def fail_at(current, item):
        if current == stage and item == 6:
            raise ValueError(current)
        return item

    def write(item):
        written.append(fail_at("write", item))

    with pytest.raises(ValueError, match=stage):
        run_pipeline(
            (fail_at("read", item) for item in range(50)),
            lambda batch: [fail_at("process", item) for item in batch],
            write,
        )
    assert written == list(range(6))
    assert threading.active_count() < 10


def test_an_interrupt_is_raised_after_finished_results_are_written():
    written = []

    def process(batch):
        if batch == [5]:
            raise KeyboardInterrupt
        return batch

    with pytest.raises(KeyboardInterrupt):
        run_pipeline(range(100), process, written.append)
    assert written == [0, 1, 2, 3, 4]


def test_a_generator_of_items_is_closed():
    closed = threading.Event()

    def items():
        try:
            yield from range(1000)
        finally:
            closed.set()

    def fail(_):
        raise ValueError("processing failed")

    with pytest.raises(ValueError, match="processing failed"):
        run_pipeline(items(), fail, lambda _: None)
    assert closed.wait(2)
