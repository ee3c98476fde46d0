import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emojax.data.batches import centre, make_batch, padded_length, split_clip


@given(st.integers(1, 500), st.integers(1, 120))
def test_windows_cover_the_clip_and_none_is_longer(length, window):
    clip = np.arange(length)
    pieces = split_clip(clip, window)
    assert set(np.concatenate(pieces)) == set(clip)
    assert all(len(piece) == min(length, window) for piece in pieces)


@pytest.mark.parametrize(("length", "start"), [(10, 3), (11, 3), (3, 0)])
def test_centre_is_the_middle(length, start):
    # EmoNet's "centre" crop began in the middle.
    assert centre(np.arange(length), 4)[0] == start


def test_batch_is_padded_scaled_and_filled_up():
    batch = make_batch(
        [np.full(3, 16_384, np.int16), np.full(30_000, 0.25, np.float32)], np.array([1, 2]), rows=4
    )
    assert batch.audio.shape == (4, padded_length(30_000)) == (4, 40_000)
    assert batch.audio[0, :4].tolist() == [0.5, 0.5, 0.5, 0.0]
    assert batch.length.tolist() == [3, 30_000, 0, 0]
    assert batch.label.tolist() == [1, 2, 0, 0]
