import threading

from edge.cli.memory_budget import MemoryBudget


def acquire_in_thread(budget, size, stop=lambda: False):
    acquired = threading.Event()

    def work():
        budget.acquire(size, stop)
        acquired.set()

    threading.Thread(target=work, daemon=True).start()
    return acquired


def test_what_fits_is_acquired_at_once():
    budget = MemoryBudget(10)
    budget.acquire(4, lambda: False)
    assert acquire_in_thread(budget, 6).wait(10)


def test_what_does_not_fit_waits_until_enough_is_released():
    budget = MemoryBudget(10)
    budget.acquire(4, lambda: False)
    budget.acquire(4, lambda: False)
    acquired = acquire_in_thread(budget, 6)
    assert not acquired.wait(0.3)
    budget.release(4)
    assert acquired.wait(10)


def test_one_item_may_exceed_the_budget_alone():
    budget = MemoryBudget(10)
    budget.acquire(99, lambda: False)
    acquired = acquire_in_thread(budget, 1)
    assert not acquired.wait(0.3)
    budget.release(99)
    assert acquired.wait(10)


def test_a_waiting_thread_goes_on_when_it_is_to_stop():
    budget, stopped = MemoryBudget(10), threading.Event()
    budget.acquire(10, lambda: False)
    acquired = acquire_in_thread(budget, 10, stopped.is_set)
    assert not acquired.wait(0.3)
    stopped.set()
    assert acquired.wait(10)
