import jax
import jax.numpy as jnp
import numpy as np

from emojax.audio.augment import MASKS, mask_bands


def hidden(widest_mels, longest_share, frames=(63, 20, 0), number=0):
    """What becomes 0 of a batch of ones, bool [B, F, M]."""
    mel = jnp.ones((len(frames), 63, 64))
    masked = mask_bands(mel, jnp.array(frames), jax.random.key(number), widest_mels, longest_share)
    return np.asarray(masked) == 0


def test_nothing_is_hidden_unless_asked_for():
    assert not hidden(0, 0).any()


def test_bands_go_through_all_frames_and_keep_to_their_limit():
    for number in range(20):
        band = hidden(8, 0, number=number)
        assert (band == band[:, :1]).all()
        assert band[:, 0].sum(1).max() <= MASKS * 9  # a band of up to 8 channels touches 9 at most
    assert band.any()


def test_stretches_lie_within_the_clip_and_keep_to_their_limit():
    for number in range(20):
        stretch = hidden(0, 0.1, number=number)
        assert (stretch == stretch[..., :1]).all()
        assert stretch[1, :, 0].sum() <= MASKS * 3
        assert not stretch[1, 20:].any()
    assert hidden(0, 0.5)[0].any()


def test_clips_and_keys_differ():
    first, second = hidden(16, 0.3, frames=(63, 63))
    assert (first != second).any()
    assert (hidden(16, 0.3) != hidden(16, 0.3, number=1)).any()
