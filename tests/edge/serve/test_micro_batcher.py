import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from edge.serve.micro_batcher import Batcher


@pytest.fixture
def executor():
    with ThreadPoolExecutor(1) as executor:
        yield executor


def batcher(executor, sizes, wait_s=30.0, work=None):
    return Batcher(
        work or (lambda some: [one * 10 for one in some]), wait_s, executor, sizes.append
    )


def test_a_lone_item_does_not_wait(executor):
    sizes = []

    async def run():
        batch = batcher(executor, sizes)
        batch.announce()
        return await asyncio.wait_for(batch(1), 10)

    assert asyncio.run(run()) == 10
    assert sizes == [1]


def test_items_wait_for_those_that_are_announced_and_share_a_run(executor):
    sizes = []

    async def run():
        batch = batcher(executor, sizes)
        for _ in range(4):
            batch.announce()
        work = [asyncio.create_task(batch(number)) for number in (1, 2, 3)]
        await asyncio.sleep(0.01)
        assert not sizes
        batch.withdraw()
        return await asyncio.gather(*work)

    assert asyncio.run(run()) == [10, 20, 30]
    assert sizes == [3]


def test_nobody_waits_for_long_for_one_who_does_not_come(executor):
    sizes = []

    async def run():
        batch = batcher(executor, sizes, wait_s=0.01)
        batch.announce()
        batch.announce()
        return await asyncio.wait_for(batch(4), 10)

    assert asyncio.run(run()) == 40


def test_what_comes_while_others_are_worked_on_goes_together(executor):
    sizes = []

    async def run():
        batch = batcher(executor, sizes)
        batch.announce()
        first = asyncio.create_task(batch(0))
        await asyncio.sleep(0)
        for _ in range(99):
            batch.announce()
        others = await asyncio.gather(*map(batch, range(1, 100)))
        return [await first, *others]

    assert asyncio.run(run()) == [number * 10 for number in range(100)]
    assert sizes == [1, 32, 32, 32, 3]


def test_an_error_reaches_all_whom_it_concerns_and_no_other(executor):
    def work(some):
        if 7 in some:
            raise ValueError("seven")
        return some

    async def run():
        batch = batcher(executor, [], 0.2, work)
        for _ in range(3):
            batch.announce()
        both = await asyncio.gather(batch(6), batch(7), return_exceptions=True)
        return both, await batch(2)

    both, last = asyncio.run(run())
    assert [str(error) for error in both] == ["seven", "seven"]
    assert last == 2


def test_without_a_wait_each_is_worked_on_alone(executor):
    sizes = []

    async def run():
        batch = batcher(executor, sizes, wait_s=0)
        for _ in range(5):
            batch.announce()
        return await asyncio.gather(*map(batch, range(5)))

    assert asyncio.run(run()) == [0, 10, 20, 30, 40]
    assert sizes == [1] * 5
