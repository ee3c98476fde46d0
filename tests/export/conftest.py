"""Networks to export, and clips to ask them about."""

import jax
import numpy as np
import pytest

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.config import NetworkConfig, read_section
from emojax.inference.network import init_network, make_model, most_classes
from emojax.pretrained import read_manifest
from emojax.weights import write_model


@pytest.fixture(scope="session")
def other_run(tiny_run, tmp_path_factory):
    """A published model at random with every setting of the network that ``tiny_run`` lacks."""
    return _at_random(tiny_run, tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="session")
def hearing_run(tiny_run, tmp_path_factory):
    """Another one, which hears pitch."""
    return _at_random(tiny_run, tmp_path_factory.mktemp("hearing"), pitch_channels=True)


def _at_random(tiny_run, folder, **settings):
    manifest = read_manifest(tiny_run)
    manifest["config"] |= {
        "width": 3,
        "depth": 2,
        "adapters": False,
        "attention_units": 5,
        "attention_smoothing": 0.8,
        "attention_deviation": True,
        "shared_attention": False,
        "head_units": 7,
        "trim_db": 15.0,
        "base": "",
        **settings,
    }
    config = read_section(NetworkConfig, manifest["config"])
    model = make_model(config, most_classes(manifest))
    shared, corpus, stats = init_network(model, jax.random.key(0), config.shared_attention)
    random = np.random.default_rng(0)
    # Norms begin at one and zero, where equal answers would prove little.
    corpus, stats = jax.tree.map(
        lambda leaf: leaf + random.uniform(0.0, 0.3, leaf.shape), (corpus, stats)
    )
    own = {"params": corpus, "stats": stats}
    trees = {"shared": {"params": shared}, **dict.fromkeys(manifest["corpora"], own)}
    write_model(folder, manifest, trees)
    return folder


@pytest.fixture(scope="session")
def clips():
    """Voices with pauses and noise, from 0.1 to 2.4 s, the last one between silence, at 16 kHz."""
    random = np.random.default_rng(0)
    voices = [_voice(random, duration_s) for duration_s in (2.4, 0.1, 1.237, 0.8)]
    around = random.normal(0, 1e-3, 20_000).astype(np.float32)
    around[6_000 : 6_000 + len(voices[-1])] += voices[-1]
    return [*voices, around]


def _voice(random, duration_s):
    time_s = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    pitch_hz = random.uniform(90, 250) * (1 + 0.1 * np.sin(2 * np.pi * 3 * time_s))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
    voice = sum(np.sin(number * phase) / number for number in range(1, 25))
    syllables = np.maximum(0.0, np.sin(2 * np.pi * 4 * time_s))
    return (0.1 * syllables * voice + random.normal(0, 1e-3, len(time_s))).astype(np.float32)
