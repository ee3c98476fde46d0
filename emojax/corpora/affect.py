"""One vocabulary of labels, and the two levels of arousal and three of valence that each of them has.

The words and their levels, in ``affect.csv``, are Table 2 of the EmoNet paper (Gerczuk et al., IEEE
Transactions on Affective Computing 14(2), 2023), word for word; the synonyms beside them are what
the corpora of the catalogue call the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from importlib import resources

LEVELS = {"arousal": ("low", "high"), "valence": ("negative", "neutral", "positive")}


def _read() -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Word → its row; any way to write a word → the word."""
    text = resources.files(__package__).joinpath("affect.csv").read_text(encoding="utf-8")
    rows = {row["label"]: row for row in csv.DictReader(text.splitlines())}
    words = {
        _plain(written): word
        for word, row in rows.items()
        for written in (word, *row["synonyms"].split(";"))
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


def unknown(labels: Iterable[str], mapping: Mapping[str, str] | None = None) -> list[str]:
    """Those of the labels that are neither mapped nor known, sorted.

    >>> unknown(["happy", "tired", "calm"], {"calm": "rest"})
    ['tired']
    """
    mapping = mapping or {}
    return sorted(label for label in set(labels) if _plain(mapping.get(label, label)) not in _WORDS)


def parse_mapping(text: str) -> dict[str, str]:
    """The mapping that is written as ``label=word`` with commas between; empty for none.

    ``CORPUS/label=word`` is for one corpus, see :func:`of_corpus`.

    Raises:
      ValueError: for anything else, a label twice, or a word that is not in the vocabulary; it
        lists the vocabulary.

    >>> parse_mapping("calm=rest, cold anger=anger")
    {'calm': 'rest', 'cold anger': 'anger'}
    """
    pairs = [item.rpartition("=") for item in text.split(",") if item.strip()]
    mapping = {label.strip(): meant.strip() for label, _, meant in pairs}
    if unknown(mapping.values()) or "" in mapping or len(mapping) < len(pairs):
        raise ValueError(
            f"{text!r} does not map every label once, to a known word; write label=word with commas between, "
            f"as in 'calm=rest,tired=boredom', with words out of {', '.join(VOCABULARY)}"
        )
    return mapping


def of_corpus(mapping: Mapping[str, str], corpus: str) -> dict[str, str]:
    """What a mapping says of one corpus, where ``CORPUS/label`` comes before ``label``.

    >>> of_corpus({"high": "anger", "diary/high": "happiness"}, "diary")["high"]
    'happiness'
    """
    own = f"{corpus}/"
    return {
        **mapping,
        **{
            label.removeprefix(own): meant
            for label, meant in mapping.items()
            if label.startswith(own)
        },
    }


def check_corpora(mapping: Mapping[str, str], labels: Mapping[str, Iterable[str]]) -> None:
    """Raise a ValueError where a mapping is for a corpus that is not there.

    Args:
      mapping: of :func:`parse_mapping`.
      labels: corpus → its labels, which may have a slash of their own.

    >>> check_corpora({"calm": "rest", "diary/high": "anger"}, {"diary": ["high", "low"]})
    """
    whole = {label for own in labels.values() for label in own}
    named = {key.partition("/")[0] for key in mapping if "/" in key and key not in whole}
    if strange := sorted(named - labels.keys()):
        raise ValueError(
            f"label_words: words for {', '.join(strange)}, which is none of the corpora {', '.join(labels)}; "
            "write CORPUS/label=word with one of these, or label=word for all of them"
        )


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
