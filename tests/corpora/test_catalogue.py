"""The catalogue has all corpora of EmoSet, with the numbers of the paper's Table 1."""

import hashlib

import pytest

from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import CorpusSpec

EMOSET = {name: spec for name, spec in CATALOGUE.items() if spec.table_1}


def test_emoset_is_table_1():
    """The abstract says 84 181 clips, section 3 84 161; the rows of the table add up to this."""
    assert len(EMOSET) == 26
    assert sum(spec.table_1["clips"] for spec in EMOSET.values()) == 84_185
    assert sum(spec.table_1["hours"] for spec in EMOSET.values()) == pytest.approx(65.6, abs=1)


@pytest.mark.parametrize("name", EMOSET)
def test_clips_and_mean_duration_give_the_hours(name):
    """The mean is rounded to 0.1 s, some hours to 0.1 h; a typing error would differ by more."""
    row = EMOSET[name].table_1
    assert row["hours"] == pytest.approx(
        row["clips"] * row["mean_s"] / 3600, abs=0.05 + row["clips"] * 0.05 / 3600
    )


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_entry_says_everything_or_that_it_is_unknown(name):
    spec = CATALOGUE[name]
    assert spec.name == name
    for field in ("full_name", "language", "style", "licence", "source", "citation", "partition"):
        assert getattr(spec, field)
    assert spec.labels or "labels are unknown" in spec.notes
    assert spec.layout or not spec.verified
    assert CorpusSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_entry_agrees_with_itself(name):
    spec = CATALOGUE[name]
    assert set(spec.counts) in (set(), set(spec.labels))
    for label, published in spec.counts_per_speaker.items():
        assert published * spec.speakers == spec.counts[label]
    for groups in (list(spec.parts.values()), spec.folds):
        speakers = [speaker for group in groups for speaker in group]
        assert len(speakers) == len(set(speakers))
        assert len(speakers) in (0, spec.speakers)


@pytest.mark.parametrize("name", [name for name, spec in CATALOGUE.items() if spec.downloads])
def test_what_is_fetched_comes_over_https_into_a_layout_that_is_known(name):
    spec = CATALOGUE[name]
    assert spec.layout
    for download in spec.downloads:
        assert download.address.startswith("https://")
        algorithm, _, checksum = download.checksum.partition(":")
        assert not algorithm or len(bytes.fromhex(checksum)) == hashlib.new(algorithm).digest_size
        assert download.lists in ("", "tfds", "dataverse")
        assert not download.inside.endswith("/")
