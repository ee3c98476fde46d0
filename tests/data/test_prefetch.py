import contextlib
import itertools
import threading
import time

import pytest

from emojax.data.feeds import AHEAD, prefetched


def test_prefetch_keeps_the_order():
    def slower_and_slower(number):
        time.sleep(0.02 * (number % 3 == 0))  # the next one is there first
        return number

    items = prefetched(slower_and_slower, first=5)
    assert list(itertools.islice(items, 9)) == list(range(5, 14))
    items.close()


def test_items_are_made_before_they_are_asked_for():
    made = set()
    items = prefetched(lambda number: made.add(number) or number)
    next(items)
    deadline_s = time.monotonic() + 10
    while len(made) <= AHEAD and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert made == set(range(AHEAD + 1))
    items.close()


def test_prefetch_raises_what_went_wrong_in_its_thread():
    def broken(number):
        if number:
            raise OSError("disk gone")
        return "first"

    with contextlib.closing(prefetched(broken)) as items:
        assert next(items) == "first"
        with pytest.raises(OSError, match="disk gone"):
            next(items)


def test_closing_prefetch_ends_its_threads():
    before = set(threading.enumerate())
    items = prefetched(lambda number: number)
    next(items)
    own = set(threading.enumerate()) - before
    assert own
    items.close()
    for thread in own:
        thread.join(timeout=10)
        assert not thread.is_alive()
