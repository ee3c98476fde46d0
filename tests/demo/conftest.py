import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

import emojax
from emojax.demo.server import make_app
from emojax.timeline import speech


@pytest.fixture(scope="session")
def model(tiny_run):
    return emojax.load(tiny_run, corpus="tones")


@pytest.fixture
def client(model, loud_is_speech):
    with TestClient(make_app(model), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def loud_is_speech(monkeypatch):
    """A detector that takes all that is loud for speech, as tones are."""
    monkeypatch.setattr(speech, "_detector", lambda: lambda chunk: float(abs(chunk).max() > 0.05))


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    """Make a recording of three tones with pauses, 11 s long."""
    time_s = np.arange(3 * 16_000) / 16_000
    pause = np.zeros(16_000)
    noise = np.random.default_rng(0).normal(0, 0.001, 11 * 16_000)
    tones = [0.3 * np.sin(2 * np.pi * pitch_hz * time_s) for pitch_hz in (200, 3000, 800)]
    path = tmp_path_factory.mktemp("recording") / "tones.wav"
    sound = np.concatenate([tones[0], pause, tones[1], pause, tones[2]]) + noise
    soundfile.write(path, sound, 16_000)
    return path
