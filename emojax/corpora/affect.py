"""Vocabulary of labels, with the arousal (two levels) and valence (three levels) of each.

The words and levels in ``affect.csv`` are those of Table 2 of the EmoNet paper (Gerczuk et al.,
IEEE Transactions on Affective Computing 14(2), 2023). The synonyms in it are labels with the same
meaning in corpora of the catalogue. Its column ``emotion`` is ours: a few common words that most
corpora share, empty for words that belong to none of them.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping
from importlib import resources

LEVELS = {"arousal": ("low", "high"), "valence": ("negative", "neutral", "positive")}


def _read() -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return word → its row, and any spelling or synonym of a word → the word."""
    text = resources.files(__package__).joinpath("affect.csv").read_text(encoding="utf-8")
    rows = {row["label"]: row for row in csv.DictReader(text.splitlines())}
    words = {
        _plain(written): word
        for word, row in rows.items()
        for written in (word, *row["synonyms"].split(";"))
        if written
    }
    return rows, words


def _plain(label: str) -> str:
    return label.lower().replace("_", " ").replace("-", " ").strip()


_ROWS, _WORDS = _read()
VOCABULARY = tuple(_ROWS)
EMOTIONS = tuple(sorted({row["emotion"] for row in _ROWS.values()} - {""}))


def word(label: str, mapping: Mapping[str, str] | None = None) -> str:
    """Return the word of the vocabulary for a label; case, ``-`` and ``_`` do not matter.

    Args:
      label: label of a corpus.
      mapping: label → word, for labels that the vocabulary lacks or understands otherwise.

    Raises:
      ValueError: the label is neither mapped nor known; the message lists the vocabulary.

    >>> word("Angry"), word("high stress"), word("calm", {"calm": "rest"})
    ('anger', 'high-stress', 'rest')
    """
    meant = (mapping or {}).get(label, label)
    if _plain(meant) not in _WORDS:
        raise ValueError(
            f"label {meant!r} has no arousal and valence in the EmoNet paper's Table 2; map it to "
            f"one of {', '.join(VOCABULARY)}, as in {{{label!r}: 'neutral'}}"
        )
    return _WORDS[_plain(meant)]


def unknown(labels: Iterable[str], mapping: Mapping[str, str] | None = None) -> list[str]:
    """Return the labels that are neither mapped nor known, sorted.

    >>> unknown(["happy", "tired", "calm"], {"calm": "rest"})
    ['tired']
    """
    mapping = mapping or {}
    return sorted(label for label in set(labels) if _plain(mapping.get(label, label)) not in _WORDS)


def parse_mapping(text: str) -> dict[str, str]:
    """Parse a mapping: ``label=word`` items separated by commas, or an empty text.

    ``CORPUS/label=word`` applies to one corpus only, see :func:`of_corpus`.

    Raises:
      ValueError: the text has another form, a label occurs twice, or a word is not in the
        vocabulary; the message lists the vocabulary.

    >>> parse_mapping("calm=rest, cold anger=anger")
    {'calm': 'rest', 'cold anger': 'anger'}
    """
    pairs = [item.rpartition("=") for item in text.split(",") if item.strip()]
    mapping = {label.strip(): meant.strip() for label, _, meant in pairs}
    if unknown(mapping.values()) or "" in mapping or len(mapping) < len(pairs):
        raise ValueError(
            f"{text!r} does not map every label once, to a known word; write label=word with "
            "commas between, as in 'calm=rest,tired=boredom', with words out of "
            f"{', '.join(VOCABULARY)}"
        )
    return mapping


def without_corpora(label_words: str, corpora: Collection[str]) -> str:
    """Return a text for :func:`parse_mapping` without the words for some corpora.

    >>> without_corpora("high=anger,diary/high=joy,calls/low=sad", ["diary"])
    'high=anger,calls/low=sad'
    """
    words = parse_mapping(label_words).items()
    kept = [one for one in words if "/" not in one[0] or one[0].partition("/")[0] not in corpora]
    return ",".join(map("=".join, kept))


def of_corpus(mapping: Mapping[str, str], corpus: str) -> dict[str, str]:
    """Return the mapping for one corpus, in which ``CORPUS/label`` takes precedence over ``label``.

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
    """Raise a ValueError if a mapping names a corpus that is not given.

    Args:
      mapping: result of :func:`parse_mapping`.
      labels: corpus → its labels, which may contain a slash.

    >>> check_corpora({"calm": "rest", "diary/high": "anger"}, {"diary": ["high", "low"]})
    """
    whole = {label for own in labels.values() for label in own}
    named = {key.partition("/")[0] for key in mapping if "/" in key and key not in whole}
    if strange := sorted(named - labels.keys()):
        raise ValueError(
            f"label_words: words for {', '.join(strange)}, which is none of the corpora "
            f"{', '.join(labels)}; write CORPUS/label=word with one of these, or label=word for "
            "all of them"
        )


def emotion(label: str, mapping: Mapping[str, str] | None = None) -> str:
    """Return the common emotion of a label, one of ``EMOTIONS``; empty where it has none.

    A label that is itself a common emotion needs no level: ``calm`` is one, and not in Table 2.

    >>> emotion("joyful"), emotion("hot anger"), emotion("Calm"), emotion("jealousy")
    ('happiness', 'anger', 'calm', '')
    """
    meant = _plain((mapping or {}).get(label, label))
    if meant in EMOTIONS:
        return meant
    return _ROWS[_WORDS[meant]]["emotion"] if meant in _WORDS else ""


def level(dimension: str, label: str, mapping: Mapping[str, str] | None = None) -> str:
    """Return one of the dimension's ``LEVELS``; arguments and errors as in :func:`word`.

    >>> level("arousal", "sad"), level("valence", "surprise")
    ('low', 'neutral')
    """
    return _ROWS[word(label, mapping)][dimension]
