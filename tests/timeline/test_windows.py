"""Windows that slide over speech."""

import numpy as np
import pytest

from emojax.timeline.windows import answer_windows, cut, hop_spans, window_spans

RATE_HZ = 16_000


@pytest.mark.parametrize("duration_s", [0.3, 1, 2.9, 3, 3.01, 4, 4.4, 61.7])
def test_windows_cover_a_stretch_and_do_not_leave_it(duration_s):
    first, last = 1000, 1000 + round(duration_s * RATE_HZ)
    windows = window_spans((first, last))
    assert windows[0][0] == first
    assert windows[-1][1] == last
    assert all(stop - start == min(3 * RATE_HZ, last - first) for start, stop in windows)
    starts = [start for start, _ in windows]
    assert (np.diff(starts) <= RATE_HZ).all()
    assert (np.diff(starts) > 0).all()


@pytest.mark.parametrize("duration_s", [0.3, 1, 1.4, 1.6, 3, 61.7])
def test_seconds_are_a_partition_of_a_stretch(duration_s):
    first, last = 1000, 1000 + round(duration_s * RATE_HZ)
    seconds = hop_spans((first, last))
    assert [first, *(stop for _, stop in seconds)] == [*(start for start, _ in seconds), last]
    lengths = np.diff(seconds)[:, 0]
    assert (lengths[:-1] == RATE_HZ).all()
    assert min(last - first, RATE_HZ / 2) <= lengths[-1] <= 1.5 * RATE_HZ


def test_spans_are_cut_out_of_blocks_of_any_length():
    samples = np.arange(1000)
    spans = [(0, 10), (5, 200), (150, 160), (700, 1000)]
    for size in (1, 7, 300, 2000):
        blocks = (samples[start : start + size] for start in range(0, 1000, size))
        for (first, last), own in zip(spans, cut(blocks, spans), strict=True):
            np.testing.assert_array_equal(own, samples[first:last])


def test_only_a_window_and_a_block_are_in_memory():
    """An hour of blocks, each made when it is asked for."""
    read = 0

    def blocks():
        nonlocal read
        for _ in range(3600):
            read += RATE_HZ
            yield np.zeros(RATE_HZ, np.float32)

    spans = window_spans((0, 1800 * RATE_HZ)) + window_spans((3000 * RATE_HZ, 3600 * RATE_HZ))
    for (_, last), window in zip(spans, cut(blocks(), spans), strict=True):
        assert window.base.size <= 3 * RATE_HZ + RATE_HZ
        assert read <= last + RATE_HZ


def test_windows_and_answers_are_those_of_a_stream(model):
    noise = np.random.default_rng(0).normal(0, 0.1, 20 * RATE_HZ).astype(np.float32)
    stream = model.stream(RATE_HZ)
    moments = [*stream.feed(noise), *stream.finish()]
    spans = window_spans((0, len(noise)))
    assert spans == [(one.start_s * RATE_HZ, one.end_s * RATE_HZ) for one in moments]
    blocks = np.array_split(noise, 7)
    for moment, answer in zip(moments, answer_windows(model, blocks, spans), strict=True):
        assert answer == pytest.approx(moment.answer, abs=1e-5)
        assert answer.warning == moment.answer.warning
