import threading
import time

import pytest

from edge.run.pipeline import Limit, overlap


def test_results_come_in_the_order_of_items_in_batches():
    sizes, written = [], []

    def work(some):
        sizes.append(len(some))
        return [item * 10 for item in some]

    overlap(range(10), work, written.append, batch=4)
    assert written == [item * 10 for item in range(10)]
    assert sum(sizes) == 10
    assert 1 <= min(sizes) <= max(sizes) <= 4


def test_nothing_is_done_with_nothing():
    overlap([], lambda some: some, pytest.fail, batch=4)


def test_reading_and_writing_go_on_beside_the_work():
    main, readers, writers = threading.get_ident(), set(), set()

    def items():
        for item in range(5):
            readers.add(threading.get_ident())
            yield item

    overlap(items(), lambda some: some, lambda _: writers.add(threading.get_ident()))
    assert len(readers | writers | {main}) == 3


def test_no_more_is_read_ahead_than_allowed():
    most = 0
    read, done = [], []

    def items():
        for item in range(40):
            read.append(item)
            yield item

    def work(some):
        nonlocal most
        time.sleep(0.002)
        most = max(most, len(read) - len(done))
        done.extend(some)
        return some

    overlap(items(), work, lambda _: None, ahead=4)
    assert most <= 4 + 3  # those in the queue, one on either side of it, and one at work


def test_what_is_held_stays_within_its_limit_but_for_one_that_is_larger_alone():
    held, most = 0, 0
    lock = threading.Lock()

    def items():
        nonlocal held, most
        for size in (3, 3, 3, 50, 3, 3, 3):
            yield size
            with lock:  # the next is asked for: this one has been let in
                held += size
                most = max(most, held if size < 10 else 0)

    def write(size):
        nonlocal held
        time.sleep(0.005)
        with lock:
            held -= size

    overlap(items(), lambda some: some, write, ahead=20, limit=Limit(lambda size: size, 6))
    assert most <= 6 + 3  # one may be counted here before it is let go there


def test_a_reader_that_waits_for_room_is_not_waited_for():
    def fail(_):
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        overlap(range(9), lambda some: some, fail, ahead=2, limit=Limit(lambda _: 1, 2))


@pytest.mark.parametrize("where", ["read", "work", "write"])
def test_what_goes_wrong_is_raised_and_what_was_done_before_is_written(where):
    written = []

    def fail_at(place, item):
        if place == where and item == 6:
            raise ValueError(place)
        return item

    def write(item):
        written.append(fail_at("write", item))

    with pytest.raises(ValueError, match=where):
        overlap(
            (fail_at("read", item) for item in range(50)),
            lambda some: [fail_at("work", item) for item in some],
            write,
        )
    assert written == list(range(6))
    assert threading.active_count() < 10


def test_an_interrupt_loses_no_result_that_is_ready():
    written = []

    def work(some):
        if some == [5]:
            raise KeyboardInterrupt
        return some

    with pytest.raises(KeyboardInterrupt):
        overlap(range(100), work, written.append)
    assert written == [0, 1, 2, 3, 4]


def test_an_iterator_that_holds_something_open_is_closed():
    closed = threading.Event()

    def items():
        try:
            yield from range(1000)
        finally:
            closed.set()

    with pytest.raises(ValueError, match="enough"):
        overlap(items(), lambda _: (_ for _ in ()).throw(ValueError("enough")), lambda _: None)
    assert closed.wait(2)
