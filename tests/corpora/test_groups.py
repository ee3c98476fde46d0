import numpy as np
import pytest

from emojax.corpora.groups import deal, speaker_groups
from emojax.corpora.spec import Clip


def clip(speaker, digest):
    return Clip(f"{speaker}{digest}.wav", "x", speaker, "", 1.0, "", digest)


def test_sharing_a_recording_is_transitive():
    clips = [clip(*pair) for pair in [("c", "1"), ("a", "1"), ("a", "2"), ("d", "2"), ("b", "3")]]
    assert speaker_groups(clips).tolist() == [0, 0, 0, 0, 1]


def test_the_groups_of_unknown_speakers_are_recordings():
    assert speaker_groups([clip("", digest) for digest in "21323"]).tolist() == [1, 0, 2, 1, 2]


def test_a_speaker_called_like_a_digest_is_not_that_recording():
    assert speaker_groups([clip("1", "2"), clip("a", "1")]).tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(3))
def test_parts_have_their_share_of_clips_and_labels(seed):
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 40, 2000)
    label = rng.choice(4, 2000, p=[0.7, 0.15, 0.1, 0.05])
    part = deal(group, label, (0.6, 0.2, 0.2), seed)
    for name, share in enumerate((0.6, 0.2, 0.2)):
        for chosen in [part == name, *(part[label == k] == name for k in range(4))]:
            assert chosen.mean() == pytest.approx(share, abs=0.03)


def test_the_seed_decides_between_equals():
    group, label = np.repeat(np.arange(20), 2), np.tile([0, 1], 20)
    dealt = {tuple(deal(group, label, (0.6, 0.2, 0.2), seed)) for seed in range(5)}
    assert len(dealt) == 5


def test_rare_labels_find_their_way_into_every_part():
    """Three of 60 speakers speak each of six labels: one random assignment in 10^5 is valid."""
    speaker = np.arange(60)
    group, label = (
        np.append(speaker, np.arange(18)),
        np.append(np.zeros(60, int), 1 + np.arange(18) // 3),
    )
    part = deal(group, label, (0.6, 0.2, 0.2), seed=0)
    assert all(set(part[label == k]) == {0, 1, 2} for k in range(7))


def test_a_large_part_is_made_complete_before_a_small_one():
    """Only the first of three speakers can leave train without taking the last of a label along."""
    spoken = {0: [0], 1: [0, 1, 2, 3], 2: [0, 2, 3, 4]}
    group, label = np.array([(speaker, k) for speaker, labels in spoken.items() for k in labels]).T
    assert set(group[deal(group, label, (0.8, 0.2), seed=0) == 1]) == {0}
