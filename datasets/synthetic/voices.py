"""Who speaks, and how: speakers, emotions, and the delivery of one utterance."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Emotion:
    """What an emotion does to a neutral delivery.

    Attributes:
      pitch_semitones: shift of the mean pitch.
      range_factor: factor of the pitch range.
      rate_factor: factor of the speaking rate.
      loudness_db: change of the level.
    """

    pitch_semitones: float = 0.0
    range_factor: float = 1.0
    rate_factor: float = 1.0
    loudness_db: float = 0.0


# Directions as in Table 1 of Murray & Arnott (1993), https://doi.org/10.1121/1.405558; sizes are ours.
EMOTIONS = {
    "anger": Emotion(3.0, 1.5, 1.15, 6.0),
    "boredom": Emotion(-2.5, 0.6, 0.85, -3.0),
    "fear": Emotion(6.0, 0.7, 1.3, 1.0),
    "happiness": Emotion(4.5, 2.0, 1.08, 3.0),
    "joy": Emotion(4.5, 2.0, 1.08, 3.0),
    "neutral": Emotion(),
    "sadness": Emotion(-2.0, 0.5, 0.8, -6.0),
    "surprise": Emotion(5.0, 2.4, 0.95, 2.0),
}


@dataclasses.dataclass(frozen=True)
class Speaker:
    """A voice that exists nowhere else.

    Attributes:
      name: ``f`` or ``m`` and a number.
      pitch_hz: mean pitch when neutral.
      range_semitones: pitch range when neutral.
      words_per_minute: speaking rate when neutral.
      expressiveness: factor of what emotions change.
      formants: per formant 1 to 8, frequency and height in percent of espeak's.
    """

    name: str
    pitch_hz: float
    range_semitones: float
    words_per_minute: float
    expressiveness: float
    formants: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class Delivery:
    """How one utterance is spoken; units as in :class:`Speaker`, the level relative to neutral speech."""

    pitch_hz: float
    range_semitones: float
    words_per_minute: float
    loudness_db: float


def draw_speaker(name: str, rng: np.random.Generator) -> Speaker:
    """A speaker at random; names that begin with ``f`` get a woman's pitch and vocal tract."""
    median_pitch_hz, tract = (195.0, 115.0) if name.startswith("f") else (110.0, 100.0)
    frequencies = tract * rng.normal(1.0, 0.04) * rng.normal(1.0, 0.02, size=8)
    heights = rng.uniform(80, 120, size=8)
    return Speaker(
        name=name,
        pitch_hz=median_pitch_hz * 2 ** (rng.uniform(-2.5, 2.5) / 12),
        range_semitones=rng.uniform(5, 8),
        words_per_minute=180 * rng.uniform(0.9, 1.1),
        expressiveness=rng.uniform(0.75, 1.25),
        formants=tuple((round(frequency), round(height)) for frequency, height in zip(frequencies, heights)),
    )


def perform(speaker: Speaker, emotion: Emotion, rng: np.random.Generator) -> Delivery:
    """One utterance of a speaker in an emotion: no two are quite alike."""
    pitch, spread, rate, level = rng.normal(0.0, (1.0, 0.15, 0.06, 2.0)).clip(-5, 5)
    strength = speaker.expressiveness
    return Delivery(
        pitch_hz=speaker.pitch_hz * 2 ** ((strength * emotion.pitch_semitones + pitch) / 12),
        range_semitones=speaker.range_semitones * emotion.range_factor**strength * np.exp(spread),
        words_per_minute=speaker.words_per_minute * emotion.rate_factor**strength * np.exp(rate),
        loudness_db=strength * emotion.loudness_db + level,
    )


def voice_file(language: str, speaker: Speaker, delivery: Delivery) -> str:
    """The speaker, so delivered, as an espeak-ng voice file.

    >>> speaker = Speaker("m01", 100.0, 12.0, 170.0, 1.0, ((102, 95),))
    >>> print(voice_file("de", speaker, Delivery(100.0, 12.0, 170.0, 0.0)))
    language de
    pitch 71 141
    formant 1 102 95
    <BLANKLINE>
    """
    half = 2 ** (delivery.range_semitones / 24)
    lines = [f"language {language}", f"pitch {delivery.pitch_hz / half:.0f} {delivery.pitch_hz * half:.0f}"]
    lines += [f"formant {number} {frequency} {height}" for number, (frequency, height) in enumerate(speaker.formants, 1)]
    return "\n".join(lines) + "\n"
