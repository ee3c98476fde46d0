"""Preparing says what a model could learn instead of the labels, and nothing where it could not."""

import numpy as np
import pytest
import soundfile

from datasets import prepare
from datasets.confounds import has_digital_silence, single_labels, uneven_silence
from emojax.corpora.spec import Clip

SPEAKERS, LABELS = ("ann", "bob", "cem"), ("calm", "angry")


def made_up(silent_of, takes=6):
    """Clips of three speakers and two labels, and which of them have digital silence."""
    rows = [(who, label, take) for who in SPEAKERS for label in LABELS for take in range(takes)]
    clips = [Clip(f"{who}{label}{take}", label, who, "", 1.0, "", "") for who, label, take in rows]
    return clips, [silent_of(*row) for row in rows]


@pytest.mark.parametrize(
    ("silent_of", "named"),
    [
        (lambda who, label, take: False, []),
        (lambda who, label, take: True, []),
        (lambda who, label, take: who == "ann", ["1 of 3 speakers"]),
        (lambda who, label, take: label == "calm" and take < 3, ["1 of 2 labels"]),
        (lambda who, label, take: (who, take) == ("ann", 0), []),  # a clip of each label: chance
        (lambda who, label, take: (who, label) == ("ann", "calm"), ["1 of 3 speakers", "1 of 2"]),
    ],
)
def test_digital_silence_of_some_speakers_or_labels_is_named(silent_of, named):
    lines = uneven_silence(*made_up(silent_of))
    assert len(lines) == len(named)
    assert all(part in line for part, line in zip(named, lines, strict=True))


def test_groups_of_few_clips_and_unknown_speakers_say_nothing():
    clips, silent = made_up(lambda who, label, take: who == "ann", takes=2)
    assert not uneven_silence(clips, silent)
    unknown = [Clip("a", "calm", "", "", 1.0, "", "") for _ in clips]
    assert not uneven_silence(unknown, silent)


def test_zeros_count_wherever_they_are_and_only_in_a_row():
    pcm = np.ones(3000, np.int16)
    assert not has_digital_silence(pcm)
    for start in (0, 1000, 2200):
        cut = pcm.copy()
        cut[start : start + 800] = 0
        assert has_digital_silence(cut)
    pcm[::2] = 0
    assert not has_digital_silence(pcm)
    assert has_digital_silence(np.zeros(800, np.int16))


def test_speakers_with_one_label_each_are_counted():
    clips, _ = made_up(lambda *_: False)
    assert not single_labels(clips)
    alone = [clip for clip in clips if (clip.speaker == "bob") == (clip.label == "calm")]
    assert "3 of 3 speakers have a single label" in single_labels(alone)[0]


@pytest.mark.parametrize("muted", [("ann",), ()])
def test_preparing_says_it_once(tmp_path, write_csv, capsys, muted):
    random = np.random.default_rng(0)
    rows = []
    for clip in made_up(lambda *_: False)[0]:
        samples = random.integers(-99, 99, 1700)
        samples[200:1100] *= clip.speaker not in muted
        soundfile.write(tmp_path / f"{clip.file}.wav", samples.astype(np.int16), 16_000)
        rows.append((f"{clip.file}.wav", clip.label, clip.speaker))
    table = write_csv(tmp_path / "labels.csv", ("file", "label", "speaker"), *rows)
    prepare(f"own={table}", tmp_path, tmp_path / "data")
    said = "careful: 1 of 3 speakers have digital silence"
    assert capsys.readouterr().out.count(said) == len(muted)
