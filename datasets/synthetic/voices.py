"""Speakers, emotions, and the delivery of one utterance."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Emotion:
    """Change of a neutral delivery by an emotion.

    Attributes:
      pitch_semitones: shift of the typical pitch.
      range_factor: factor of the pitch range.
      rate_factor: factor of the speaking rate.
      loudness_db: change of the level.
    """

    pitch_semitones: float = 0.0
    range_factor: float = 1.0
    rate_factor: float = 1.0
    loudness_db: float = 0.0


# Directions follow Scherer (2003), https://doi.org/10.1016/S0167-6393(02)00084-5; sizes are ours.
EMOTIONS = {
    "anger": Emotion(4.0, 1.6, 1.15, 6.0),
    "boredom": Emotion(-3.0, 0.5, 0.8, -3.0),
    "fear": Emotion(8.0, 0.6, 1.3, 1.0),
    "happiness": Emotion(7.0, 2.4, 1.0, 3.0),
    "joy": Emotion(7.0, 2.4, 1.0, 3.0),
    "neutral": Emotion(),
    "sadness": Emotion(-2.0, 0.5, 0.75, -6.0),
    "surprise": Emotion(6.0, 2.8, 0.9, 2.0),
}


@dataclasses.dataclass(frozen=True)
class Speaker:
    """An artificial voice.

    Attributes:
      name: ``f`` or ``m`` and a number.
      pitch_hz: typical pitch when neutral.
      range_semitones: width of the pitch range when neutral.
      words_per_minute: speaking rate when neutral.
      expressiveness: strength of the changes by emotions.
      formants: frequency and height of formants 1 to 8, in percent of espeak-ng's.
    """

    name: str
    pitch_hz: float
    range_semitones: float
    words_per_minute: float
    expressiveness: float
    formants: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class Delivery:
    """Delivery of one utterance; units as in Speaker, the level relative to neutral speech."""

    pitch_hz: float
    range_semitones: float
    words_per_minute: float
    loudness_db: float


def draw_speaker(name: str, rng: np.random.Generator) -> Speaker:
    """Draw a speaker; names that begin with ``f`` get the pitch and vocal tract of a woman."""
    middle_hz, tract = (195.0, 115.0) if name.startswith("f") else (110.0, 100.0)
    tract *= rng.normal(1.0, 0.04)
    return Speaker(
        name=name,
        pitch_hz=middle_hz * 2 ** (rng.uniform(-2.5, 2.5) / 12),
        range_semitones=rng.uniform(5, 8),
        words_per_minute=190 * rng.uniform(0.9, 1.1),
        expressiveness=rng.uniform(0.8, 1.2),
        formants=tuple(
            (round(tract * rng.normal(1.0, 0.02)), round(rng.uniform(80, 120))) for _ in range(8)
        ),
    )


def perform(speaker: Speaker, emotion: Emotion, rng: np.random.Generator) -> Delivery:
    """Draw the delivery of one utterance of a speaker in an emotion."""
    pitch, spread, rate, level = rng.normal(0.0, (1.0, 0.15, 0.07, 2.0)).clip(-4, 4)
    strength = speaker.expressiveness
    return Delivery(
        pitch_hz=speaker.pitch_hz * 2 ** ((strength * emotion.pitch_semitones + pitch) / 12),
        range_semitones=speaker.range_semitones * emotion.range_factor**strength * np.exp(spread),
        words_per_minute=speaker.words_per_minute * emotion.rate_factor**strength * np.exp(rate),
        loudness_db=strength * emotion.loudness_db + level,
    )


def voice_file(language: str, speaker: Speaker, delivery: Delivery) -> str:
    """Write an espeak-ng voice file for a speaker and a delivery.

    >>> speaker = Speaker("m01", 100.0, 12.0, 170.0, 1.0, ((102, 95),))
    >>> print(voice_file("de", speaker, Delivery(100.0, 12.0, 170.0, 0.0)))
    language de
    pitch 63 126
    formant 1 102 95
    <BLANKLINE>
    """
    lowest_hz = delivery.pitch_hz / 2 ** (
        delivery.range_semitones / 18
    )  # Most speech lies at two thirds of the range.
    highest_hz = lowest_hz * 2 ** (delivery.range_semitones / 12)
    effort = 10 ** (delivery.loudness_db / 40)  # A louder voice has a flatter spectrum.
    lines = [f"language {language}", f"pitch {lowest_hz:.0f} {highest_hz:.0f}"]
    for number, (frequency, height) in enumerate(speaker.formants, 1):
        lines.append(f"formant {number} {frequency} {height * effort ** (number > 1):.0f}")
    return "\n".join(lines) + "\n"
