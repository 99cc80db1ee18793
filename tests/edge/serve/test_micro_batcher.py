import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from edge.serve.micro_batcher import MicroBatcher


@pytest.fixture
def executor():
    with ThreadPoolExecutor(1) as executor:
        yield executor


def times_ten(batch):
    return [item * 10 for item in batch]


def make_batcher(executor, sizes, wait_s=30.0, process=times_ten):
    return MicroBatcher(process, wait_s, executor, sizes.append)


def test_a_single_item_is_processed_at_once(executor):
    sizes = []

    async def run():
        batcher = make_batcher(executor, sizes)
        batcher.announce()
        return await asyncio.wait_for(batcher.submit(1), 10)

    assert asyncio.run(run()) == 10
    assert sizes == [1]


def test_items_wait_for_announced_ones_and_share_a_batch(executor):
    sizes = []

    async def run():
        batcher = make_batcher(executor, sizes)
        for _ in range(4):
            batcher.announce()
        tasks = [asyncio.create_task(batcher.submit(number)) for number in (1, 2, 3)]
        await asyncio.sleep(0.01)
        assert not sizes
        batcher.withdraw()
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == [10, 20, 30]
    assert sizes == [3]


def test_the_wait_for_an_announced_item_is_limited(executor):
    sizes = []

    async def run():
        batcher = make_batcher(executor, sizes, wait_s=0.01)
        batcher.announce()
        batcher.announce()
        return await asyncio.wait_for(batcher.submit(4), 10)

    assert asyncio.run(run()) == 40
    assert sizes == [1]


def test_items_that_arrive_during_a_batch_form_the_next_ones(executor):
    sizes = []

    async def run():
        batcher = make_batcher(executor, sizes)
        batcher.announce()
        first = asyncio.create_task(batcher.submit(0))
        await asyncio.sleep(0)
        for _ in range(99):
            batcher.announce()
        others = await asyncio.gather(*map(batcher.submit, range(1, 100)))
        return [await first, *others]

    assert asyncio.run(run()) == [number * 10 for number in range(100)]
    assert sizes == [1, 32, 32, 32, 3]


def test_an_error_is_raised_for_every_item_of_its_batch_only(executor):
    def process(batch):
        if 7 in batch:
            raise ValueError("seven")
        return batch

    async def run():
        batcher = make_batcher(executor, [], 0.2, process)
        for _ in range(3):
            batcher.announce()
        errors = await asyncio.gather(batcher.submit(6), batcher.submit(7), return_exceptions=True)
        return errors, await batcher.submit(2)

    errors, result = asyncio.run(run())
    assert [str(error) for error in errors] == ["seven", "seven"]
    assert result == 2


def test_a_cancelled_item_does_not_affect_the_others_of_its_batch(executor):
    sizes = []

    async def run():
        batcher = make_batcher(executor, sizes)
        for _ in range(3):
            batcher.announce()
        first, second = (asyncio.create_task(batcher.submit(number)) for number in (1, 2))
        await asyncio.sleep(0)
        first.cancel()
        return await batcher.submit(3), await second

    assert asyncio.run(run()) == (30, 20)
    assert sizes == [3]


def test_without_a_wait_each_item_is_a_batch_of_its_own(executor):
    sizes = []

    async def run():
        batcher = make_batcher(executor, sizes, wait_s=0)
        for _ in range(5):
            batcher.announce()
        return await asyncio.gather(*map(batcher.submit, range(5)))

    assert asyncio.run(run()) == [0, 10, 20, 30, 40]
    assert sizes == [1] * 5
