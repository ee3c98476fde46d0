import itertools
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from emojax.data import feeds
from emojax.data.feeds import DeviceFeed, HostFeed
from emojax.data.prepared import Recordings
from emojax.data.sampling import draws

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
    return list(itertools.islice(draws(lengths, WINDOWS, 4, 7, 0), steps))


def batches(feed, corpora):
    steps = drawn(corpora, 30)
    rows = feed.rows(steps, max(WINDOWS))
    batch = jax.jit(feed.batch, static_argnums=2)
    for number, one in enumerate(steps):
        own = jax.tree.map(lambda leaf, number=number: leaf[number], rows)
        yield one, jax.device_get(batch(feed.data, own, WINDOWS[one.corpus]))


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
    pairs = zip(batches(DeviceFeed(corpora), corpora), batches(HostFeed(corpora), corpora), strict=True)
    for (_, one), (_, other) in pairs:
        jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.parametrize(("free_bytes", "expected"), [(None, True), (10**9, True), (9_000, False)])
def test_clips_stay_on_the_host_where_they_do_not_fit(corpora, free_bytes, expected, monkeypatch):
    stats = free_bytes and {"bytes_limit": 10**9 + free_bytes, "bytes_in_use": 10**9}
    device = SimpleNamespace(memory_stats=lambda: stats)
    monkeypatch.setattr(feeds.jax, "local_devices", lambda: [device])
    assert feeds.fits(corpora) == expected


def test_a_clip_beyond_the_reach_of_32_bits_lies_where_it_should(monkeypatch):
    monkeypatch.setattr(feeds, "ROW_SAMPLES", 2**29)  # memory that is never touched is never taken
    clips = [np.full(3, number, np.int16) for number in range(5)]
    store = feeds.make_store({"a": Recordings(clips, np.zeros(5, np.int32))})
    assert store.rows[store.first_row, 1].tolist() == [0, 1, 2, 3, 4]
