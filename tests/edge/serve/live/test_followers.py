import asyncio

import pytest

pytest.importorskip("fastapi")

from edge.serve.live.followers import Follower, LiveAssessor


def test_a_slow_follower_misses_the_oldest_messages():
    async def follow():
        follower = Follower(quality=False)
        for number in range(100):
            follower.give(b"%d" % number)
        return follower.changed.is_set(), follower.take(), follower.take()

    changed, messages, rest = asyncio.run(follow())
    assert changed
    assert messages == [b"%d" % number for number in range(36, 100)]
    assert rest == []


def test_what_is_measured_is_what_someone_follows():
    async def wanted():
        plain, demanding = Follower(quality=False), Follower(quality=True)
        assess = LiveAssessor()
        sets = ([], [plain], [plain, demanding])
        return [assess.wanted(followers) for followers in sets], LiveAssessor(True).wanted([])

    followed, always = asyncio.run(wanted())
    assert [(w.analyze, w.quality) for w in followed] == [
        (False, False), (True, False), (True, True),
    ]  # fmt: skip
    assert (always.analyze, always.quality) == (True, False)
