"""One vocabulary of labels, and the two levels of arousal and three of valence that each of them has.

The words and their levels, in ``affect.csv``, are Table 2 of the EmoNet paper (Gerczuk et al., IEEE
Transactions on Affective Computing 14(2), 2023), word for word; the synonyms beside them are what the
corpora of the catalogue call the same.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib import resources

LEVELS = {"arousal": ("low", "high"), "valence": ("negative", "neutral", "positive")}


def _read() -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Word → its row; any way to write a word → the word."""
    text = resources.files(__package__).joinpath("affect.csv").read_text(encoding="utf-8")
    rows = {row["label"]: row for row in csv.DictReader(text.splitlines())}
    words = {
        _plain(written): word for word, row in rows.items() for written in (word, *row["synonyms"].split(";"))
    }
    return rows, words


def _plain(label: str) -> str:
    return label.lower().replace("_", " ").replace("-", " ").strip()


_ROWS, _WORDS = _read()
VOCABULARY = tuple(_ROWS)


def word(label: str, mapping: Mapping[str, str] | None = None) -> str:
    """The word of the vocabulary for a corpus's label; upper case, ``-`` and ``_`` make no difference.

    Args:
      label: as the corpus has it.
      mapping: labels that the vocabulary does not know, or knows otherwise → a word of it.

    Raises:
      ValueError: for a label that is neither mapped nor known; it lists the vocabulary.

    >>> word("Angry"), word("high stress"), word("calm", {"calm": "rest"})
    ('anger', 'high-stress', 'rest')
    """
    meant = (mapping or {}).get(label, label)
    if _plain(meant) not in _WORDS:
        raise ValueError(
            f"label {meant!r} has no arousal and valence in the EmoNet paper's Table 2; map it to one of "
            f"{', '.join(VOCABULARY)}, as in {{{label!r}: 'neutral'}}"
        )
    return _WORDS[_plain(meant)]


def arousal(label: str, mapping: Mapping[str, str] | None = None) -> str:
    """``"low"`` or ``"high"``; arguments and errors as for :func:`word`.

    >>> arousal("sad"), arousal("happy")
    ('low', 'high')
    """
    return level("arousal", label, mapping)


def valence(label: str, mapping: Mapping[str, str] | None = None) -> str:
    """``"negative"``, ``"neutral"`` or ``"positive"``; arguments and errors as for :func:`word`.

    >>> valence("sad"), valence("surprise"), valence("happy")
    ('negative', 'neutral', 'positive')
    """
    return level("valence", label, mapping)


def level(dimension: str, label: str, mapping: Mapping[str, str] | None = None) -> str:
    """One of the dimension's ``LEVELS``; arguments and errors as for :func:`word`."""
    return _ROWS[word(label, mapping)][dimension]
