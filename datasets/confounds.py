"""Confounds: what a model could learn instead of the labels; one line for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.corpora.spec import Clip

_SILENCE_S = 0.05
_FEWEST_CLIPS = 5
# A group has digital silence above the first share of its clips, and has none below the second.
_HAS, _LACKS = 1 / 3, 1 / 50


def single_labels(clips: Iterable[Clip]) -> list[str]:
    """Return a line where most speakers have a single label.

    >>> rows = [("a", "calm"), ("a", "calm"), ("b", "angry"), ("b", "angry")]
    >>> single_labels([Clip("x.wav", label, who, "", 1.0, "", "") for who, label in rows])[0][:44]
    'careful: 2 of 2 speakers have a single label'
    """
    labels: dict[str, list[str]] = {}
    for clip in clips:
        labels.setdefault(clip.speaker, []).append(clip.label)
    several = [own for speaker, own in labels.items() if speaker and len(own) > 1]
    single = sum(len(set(own)) == 1 for own in several)
    if 2 * single <= len(several):
        return []
    return [
        f"careful: {single} of {len(several)} speakers have a single label, so a model can learn "
        "who speaks instead of how; compare it with an SVM (baseline.py)"
    ]


def has_digital_silence(pcm: np.ndarray) -> bool:
    """Return whether int16 samples ``[n]`` at 16 kHz are exactly zero for 50 ms or more.

    >>> has_digital_silence(np.repeat([5, 0, 5], 800)), has_digital_silence(np.repeat([5, 0], 799))
    (True, False)
    """
    sounding = np.flatnonzero(pcm)
    longest = np.diff(sounding, prepend=-1, append=len(pcm)).max() - 1
    return bool(longest >= _SILENCE_S * SAMPLE_RATE_HZ)


def uneven_silence(clips: Sequence[Clip], silent: Sequence[bool]) -> list[str]:
    """Return a line for speakers, and one for labels, if only some of them have digital silence.

    That is, some have it in a third or more of their clips, and others in at most one of 50. Those
    with fewer than five clips do not count.

    Args:
      clips: the clips of a corpus.
      silent: whether each has digital silence, see :func:`has_digital_silence`.
    """
    lines = []
    for what, names in (
        ("speakers", [clip.speaker for clip in clips]),
        ("labels", [clip.label for clip in clips]),
    ):
        groups: dict[str, list[bool]] = {}
        for name, own in zip(names, silent, strict=True):
            groups.setdefault(name, []).append(own)
        shares = [
            float(np.mean(own))
            for name, own in groups.items()
            if name and len(own) >= _FEWEST_CLIPS
        ]
        having, lacking = (sum(share >= _HAS for share in shares), sum(s <= _LACKS for s in shares))
        if having and lacking:
            lines.append(
                f"careful: {having} of {len(shares)} {what} have digital silence (zeros for 50 ms "
                f"or more) in many of their clips, and {lacking} have none, so a model can learn "
                "the channel instead of the voice"
            )
    return lines
