"""A model of tones that never heard of levels, and words that both have."""

import pytest

from emojax.data.prepared import open_corpus

WORDS = "high=anger,middle=happiness,low=sadness,levels/loud=anger,levels/soft=sadness"


@pytest.fixture(scope="session")
def words():
    return WORDS


@pytest.fixture
def opened(tiny_paths):
    return {name: open_corpus(path) for name, path in tiny_paths.items()}


@pytest.fixture(scope="session")
def of_tones(tiny_config, tiny_paths, tmp_path_factory, untrained):
    """A run on every clip of tones, with the head of common emotions."""
    folder = tmp_path_factory.mktemp("of_tones")
    own = {"domains": "corpora+emotion", "partition": "all"}
    own["label_words"] = ",".join(item for item in WORDS.split(",") if "/" not in item)
    return untrained(tiny_config, {"tones": tiny_paths["tones"]}, folder, **own)
