"""Features are extracted once for each recording, and kept."""

import dataclasses

import numpy as np
import pytest

from emojax.baselines.cache import kept_features
from emojax.data.prepared import open_corpus


@pytest.fixture
def corpus(tiny_paths):
    return open_corpus(tiny_paths["levels"])


@pytest.fixture
def extract(corpus):
    """Gives each clip its index as its feature, and notes which ones were asked for."""

    def extract(indices):
        for index in indices:
            extract.asked.append(corpus.clips[index].digest)
            yield np.full(2, index, np.float32)

    extract.asked = []
    return extract


def test_features_are_in_the_order_of_the_table(corpus, extract, tmp_path):
    expected = np.arange(len(corpus.clips), dtype=np.float32)
    for _ in range(2):  # extracted, then read
        found = kept_features(corpus, tmp_path / "new", extract, "indices")
        np.testing.assert_array_equal(found, np.stack([expected, expected], axis=1))
    assert extract.asked == [clip.digest for clip in corpus.clips]


def test_what_is_kept_is_not_extracted_again_and_what_is_broken_is(corpus, extract, tmp_path):
    before = kept_features(corpus, tmp_path, extract, "indices")
    files = sorted(tmp_path.iterdir())
    assert [file.stem for file in files] == sorted({clip.digest for clip in corpus.clips})
    files[0].unlink()
    files[1].write_bytes(files[2].read_bytes()[:100])
    files[3].write_bytes(b"")
    extract.asked.clear()
    np.testing.assert_array_equal(kept_features(corpus, tmp_path, extract, "indices"), before)
    assert sorted(extract.asked) == [files[number].stem for number in (0, 1, 3)]


def test_a_recording_that_is_there_twice_is_extracted_once(corpus, extract, tmp_path):
    twice = dataclasses.replace(corpus, clips=[corpus.clips[0], corpus.clips[1], corpus.clips[0]])
    found = kept_features(twice, tmp_path, extract, "indices")
    np.testing.assert_array_equal(found[0], found[2])
    assert len(extract.asked) == 2


def test_a_stopped_extraction_keeps_what_it_had(corpus, extract, tmp_path):
    def stopped(indices):
        yield from extract(indices[:3])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept_features(corpus, tmp_path, stopped, "indices")
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        f"{one}.npy" for one in extract.asked
    )
    kept_features(corpus, tmp_path, extract, "indices")
    assert len(extract.asked) == len(set(extract.asked)) == len(corpus.clips)


def test_a_table_of_a_stranger_cannot_leave_the_folder(corpus, extract, tmp_path):
    evil = dataclasses.replace(corpus.clips[0], digest="../../evil")
    with pytest.raises(ValueError, match="has no digest"):
        kept_features(dataclasses.replace(corpus, clips=[evil]), tmp_path, extract, "indices")
