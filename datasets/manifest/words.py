"""Words of a table that are one: their spelling in one form, missing values, and slips of case."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable

# Among them all that pandas reads as missing and writes for it.
_MISSING = {
    "",
    "nan",
    "-nan",
    "none",
    "null",
    "nil",
    "n/a",
    "#n/a",
    "na",
    "#na",
    "<na>",
    "nat",
    "?",
    "-",
    "--",
}


@functools.lru_cache(2**16)
def one_form(text: str) -> str:
    r"""The text in Unicode's composed form (NFC), with one blank where there are blanks of any kind.

    >>> one_form(" Mu\u0308de\u00a0 sein ") == "M\u00fcde sein"
    True
    """
    text = unicodedata.normalize("NFC", text)
    blank = "".join(
        " " if unicodedata.category(char) == "Zs" or char == "\t" else char for char in text
    )
    return " ".join(filter(None, blank.split(" ")))


def is_missing(text: str) -> bool:
    """Whether a text says that there is no value.

    >>> is_missing("NaN"), is_missing("-"), is_missing("neutral")
    (True, True, False)
    """
    return text.casefold() in _MISSING


def alike(words: Iterable[str]) -> list[list[str]]:
    """Words that differ by capital letters or by compatible characters only, in groups.

    >>> alike(["Anger", "anger", "calm"])
    [['Anger', 'anger']]
    """
    groups: dict[str, list[str]] = {}
    for word in sorted(set(words)):
        groups.setdefault(unicodedata.normalize("NFKC", word).casefold(), []).append(word)
    return [group for group in groups.values() if len(group) > 1]
