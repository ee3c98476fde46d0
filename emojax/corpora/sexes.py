"""Sex of speakers, as given by the publisher or a table; it is never guessed."""

from __future__ import annotations

from collections.abc import Collection

from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import CorpusSpec


def sexes_of(spec: CorpusSpec, speakers: Collection[str]) -> dict[str, str]:
    """Return the sex of each speaker whose sex is known.

    If the prepared corpus has no sexes, those of the catalogue are used.

    Args:
      spec: description of a prepared corpus.
      speakers: speakers of its clips.

    >>> sexes_of(CorpusSpec("mine", ("a", "b"), sexes={"female": ("eva",)}), {"eva", "kim"})
    {'eva': 'female'}
    """
    sexes = spec.sexes
    known = CATALOGUE.get(spec.name)
    if not sexes and known and known.full_name == spec.full_name:
        everyone = {speaker for some in known.sexes.values() for speaker in some}
        sexes = known.sexes if {*speakers} <= everyone else {}
    return {who: sex for sex, some in sexes.items() for who in some if who in speakers}
