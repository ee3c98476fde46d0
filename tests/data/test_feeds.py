import contextlib
import itertools
import threading
import time
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from emojax.data import feeds
from emojax.data.feeds import AHEAD, DeviceFeed, HostFeed, prefetched
from emojax.data.prepared import Recordings
from emojax.data.sampling import ClipIndices, sample_clips

WINDOWS = [1_000, 700, 300]


@pytest.fixture(scope="module")
def corpora():
    random = np.random.default_rng(0)

    def part(clips):
        lengths = random.integers(100, 2_000, clips)
        samples = [random.integers(-32_768, 32_768, n).astype(np.int16) for n in lengths]
        return Recordings(samples, random.integers(0, 3, clips).astype(np.int32))

    return {"a": part(5), "b": part(9), "c": part(1)}


def drawn(corpora, steps):
    lengths = [part.lengths for part in corpora.values()]
    turns = [divmod(step, len(lengths)) for step in range(steps)]
    return [
        sample_clips(lengths[corpus], WINDOWS[corpus], 4, 7, corpus, turn) for turn, corpus in turns
    ]


def batches(feed, corpora):
    batch = jax.jit(feed.batch, static_argnums=2)
    for corpus, window in enumerate(WINDOWS):
        steps = [one for one in drawn(corpora, 30) if one.corpus == corpus]
        rows = feed.rows(steps, window)
        for number, one in enumerate(steps):
            own = jax.tree.map(lambda leaf, number=number: leaf[number], rows)
            yield one, jax.device_get(batch(feed.data, own, window))


def test_a_batch_is_the_chunks_that_were_drawn(corpora):
    parts = list(corpora.values())
    for one, batch in batches(DeviceFeed(corpora), corpora):
        part = parts[one.corpus]
        np.testing.assert_array_equal(batch.label, part.labels[one.clips])
        for row, (clip, start) in enumerate(zip(one.clips, one.starts, strict=True)):
            chunk = part.samples[clip][start : start + WINDOWS[one.corpus]]
            assert batch.length[row] == len(chunk)
            np.testing.assert_array_equal(batch.audio[row, : len(chunk)], chunk)
            assert not batch.audio[row, len(chunk) :].any()


def test_both_feeds_give_the_same_batches(corpora):
    pairs = zip(
        batches(DeviceFeed(corpora), corpora), batches(HostFeed(corpora), corpora), strict=True
    )
    for (_, one), (_, other) in pairs:
        jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.parametrize(
    ("free_bytes", "host_bytes", "expected"),
    [
        (None, 10**9, True),  # a CPU, which says nothing of its memory
        (None, 50_000, False),
        (10**9, 10**9, True),
        (10**9, 50_000, True),
        (10**9, 25_000, False),
        (9_000, 10**9, False),
    ],
)
def test_clips_stay_where_they_are_where_they_do_not_fit(
    corpora, free_bytes, host_bytes, expected, monkeypatch
):
    assert 25_000 < 2 * sum(part.lengths.sum() for part in corpora.values()) < 50_000
    stats = free_bytes and {"bytes_limit": 10**9 + free_bytes, "bytes_in_use": 10**9}
    device = SimpleNamespace(memory_stats=lambda: stats)
    monkeypatch.setattr(feeds.jax, "local_devices", lambda: [device])
    monkeypatch.setattr(feeds, "free_bytes", lambda: host_bytes)
    assert feeds.fits(corpora) == expected


@pytest.mark.parametrize(("host_bytes", "remembered"), [(10**9, True), (50_000, False)])
def test_what_does_not_fit_on_the_device_is_remembered_or_read_again(
    corpora, host_bytes, remembered, monkeypatch
):
    monkeypatch.setattr(feeds, "free_bytes", lambda: host_bytes)
    taken = []

    class Stored(Recordings):
        def take(self, rows):
            taken.extend(rows)
            return super().take(rows)

    stored = {name: Stored(part.samples, part.labels) for name, part in corpora.items()}
    feed = feeds.make_feed(stored, on_device=False, put=None)
    at_the_beginning = len(taken)
    assert at_the_beginning == (sum(map(len, corpora.values())) if remembered else 0)
    pairs = zip(batches(feed, corpora), batches(DeviceFeed(corpora), corpora), strict=True)
    for (_, one), (_, other) in pairs:
        jax.tree.map(np.testing.assert_array_equal, one, other)
    assert (len(taken) == at_the_beginning) == remembered


def test_domains_that_share_recordings_have_them_once(corpora):
    one = corpora["b"]
    numbers = np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32)
    rows = np.array([7, 0, 3, 3])
    other = Recordings([one.samples[row] for row in rows], np.zeros(4, np.int32), numbers=numbers)
    both = {"one": one, "other": other}
    alone, shared = feeds.make_store({"one": one}), feeds.make_store(both)
    np.testing.assert_array_equal(shared.rows, alone.rows)
    np.testing.assert_array_equal(shared.first_row[len(one) :], alone.first_row[rows])
    assert feeds._bytes(both) == feeds._bytes({"one": one})
    assert alone.numbers is None
    draws = [ClipIndices(1, np.array([1, 3]), np.array([0, 5]))]
    for feed in (DeviceFeed(both), HostFeed(both)):
        plan = jax.tree.map(lambda leaf: leaf[0], feed.rows(draws, 80))
        batch = feed.batch(feed.data, plan, 80)
        np.testing.assert_array_equal(batch.audio[1], one.samples[3][5:85])
        np.testing.assert_array_equal(batch.numbers, numbers[[1, 3]])


def test_a_clip_beyond_the_reach_of_32_bits_lies_where_it_should(monkeypatch):
    monkeypatch.setattr(feeds, "ROW_SAMPLES", 2**29)  # memory that is never touched is never taken
    clips = [np.full(3, number, np.int16) for number in range(5)]
    store = feeds.make_store({"a": Recordings(clips, np.zeros(5, np.int32))})
    assert store.rows[store.first_row, 1].tolist() == [0, 1, 2, 3, 4]


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


def test_a_clip_is_cut_by_products_to_the_bit():
    random = np.random.default_rng(0)
    rows = random.integers(-32_768, 32_768, (5, 4, feeds.ROW_SAMPLES), np.int16)
    start = np.array([0, 1, 100, 254, 255], np.int32)
    ours, theirs = feeds._cut_by_product(rows, start), feeds._cut(rows, start)
    np.testing.assert_array_equal(ours, theirs)
    for cut, clip, first in zip(theirs, rows, start, strict=True):
        np.testing.assert_array_equal(cut, clip.reshape(-1)[first:][: len(cut)])
