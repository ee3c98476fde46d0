import numpy as np
import pytest

import emojax
from emojax.inference.answer import Answer
from emojax.timeline import speech
from emojax.timeline.timeline import Segment, Timeline, Track


@pytest.fixture(scope="session")
def model(tiny_run):
    return emojax.load(tiny_run, corpus="tones")


@pytest.fixture
def loud_is_speech(monkeypatch):
    """A detector that takes all that is loud for speech, as tones are."""
    monkeypatch.setattr(speech, "_detector", lambda: lambda chunk: float(abs(chunk).max() > 0.05))


@pytest.fixture
def make():
    """Makes a timeline without a model: the pieces of each channel, as (start, end, label)."""

    def make(*channels, file="call.wav", labels=("anger", "neutral"), duration_s=10.0, warning=""):
        def segment(start_s, end_s, label, channel):
            rest = 0.2 / (len(labels) - 1)
            answer = Answer({one: 0.8 if one == label else rest for one in labels}, warning)
            return Segment(start_s, end_s, channel, answer)

        chunks = int(duration_s * 16_000 / speech.CHUNK_SAMPLES)
        scan = speech.Scan(*np.outer([1, -0.5, 0.5], np.ones(chunks)).astype(np.float32))
        numbers = range(1, len(channels) + 1) if len(channels) > 1 else [None]
        tracks = [
            Track(number, scan, [segment(*one, number) for one in pieces])
            for number, pieces in zip(numbers, channels, strict=True)
        ]
        return Timeline(file, duration_s, labels, tracks)

    return make
