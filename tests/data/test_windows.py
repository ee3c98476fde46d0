import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emojax.data.windows import MOST_PADDING, PARTS, choose_windows, padding_share


@given(st.lists(st.integers(2_000, 200_000), min_size=1, max_size=20))
def test_a_window_is_the_longest_with_little_padding(lengths):
    chosen = choose_windows({"a": lengths}, 80_000)["a"]
    choices = [80_000 * part // PARTS for part in range(1, PARTS + 1)]
    longer = [choice for choice in choices if choice > chosen]
    assert all(padding_share(lengths, window) > MOST_PADDING for window in longer)
    assert chosen == choices[0] or padding_share(lengths, chosen) <= MOST_PADDING


def test_padding_is_what_the_clips_leave_free():
    lengths, window = np.array([500, 2_000, 700]), 1_000
    batch = np.zeros((3, window))
    for row, length in zip(batch, lengths, strict=True):
        row[:length] = 1
    assert padding_share(lengths, window) == pytest.approx(1 - batch.mean())
