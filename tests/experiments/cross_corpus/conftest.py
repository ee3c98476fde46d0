"""Features that give the levels away, and runs that were never trained."""

import numpy as np
import pytest

from emojax.data.prepared import open_corpus
from emojax.experiments.cross_corpus import report, systems

WORDS = "high=anger,middle=happiness,low=sadness,loud=fear,soft=neutral"
HIGH = {"high", "middle", "loud"}


@pytest.fixture(scope="session")
def label_words():
    return WORDS


@pytest.fixture
def opened(tiny_paths):
    return {name: open_corpus(path) for name, path in tiny_paths.items()}


@pytest.fixture
def extracted(monkeypatch):
    """Features that give arousal away, but upside down in one corpus; and the calls for them."""
    calls = []

    def features(corpus, feature_set, cache_dir):
        calls.append(corpus.spec.name)
        sign = 1 if corpus.spec.name == "tones" else -1
        return np.array(
            [[sign * (1 if clip.label in HIGH else -1)] * 2 for clip in corpus.clips], np.float32
        )

    monkeypatch.setattr(report, "functionals", features)
    monkeypatch.setattr(report, "opensmile_version", lambda: "0")
    monkeypatch.setattr(systems, "opensmile_version", lambda: "0")
    return calls


@pytest.fixture
def run():
    """A function that makes the report."""

    def make(
        opened, tmp_path, aggregated="arousal", words=WORDS, features=("egemaps",), **workdirs
    ):
        kept = tmp_path / "features", tmp_path / "scores"
        return report.cross_corpus_report(opened, aggregated, words, features, workdirs, *kept)

    return make


@pytest.fixture(scope="session")
def workdir(tiny_config, tiny_paths, tmp_path_factory, untrained):
    folder = tmp_path_factory.mktemp("tones_run")
    paths = {"tones": tiny_paths["tones"]}
    return untrained(tiny_config, paths, folder, domains="arousal", label_words=WORDS)
