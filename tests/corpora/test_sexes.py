"""Who has which sex: of a table, of the catalogue for corpora prepared before, else of nobody."""

import dataclasses

from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.sexes import sexes_of
from emojax.corpora.spec import CorpusSpec


def test_a_corpus_prepared_before_has_the_published_sexes():
    before = dataclasses.replace(CATALOGUE["emovo"], sexes={})
    assert sexes_of(before, {"f1", "m3"}) == {"f1": "female", "m3": "male"}


def test_nothing_is_said_of_other_speakers_under_a_published_name():
    before = dataclasses.replace(CATALOGUE["emovo"], sexes={})
    assert sexes_of(before, {"f1", "anna"}) == {}
    assert sexes_of(CorpusSpec("emovo", ("a", "b")), {"f1"}) == {}
    assert sexes_of(CorpusSpec("mine", ("a", "b")), {"f1"}) == {}


def test_nobody_has_two_sexes_and_published_numbers_are_met():
    for spec in CATALOGUE.values():
        everyone = [speaker for some in spec.sexes.values() for speaker in some]
        assert len(everyone) == len(set(everyone)), spec.name
        assert len(everyone) in (0, spec.speakers), spec.name
