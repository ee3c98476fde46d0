"""Normal form of words in a table, and words that differ only by case."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable


@functools.lru_cache(2**16)
def one_form(text: str) -> str:
    r"""Return the text in Unicode's composed form (NFC), with runs of blanks made one blank.

    >>> one_form(" Mu\u0308de\u00a0 sein ") == "M\u00fcde sein"
    True
    """
    text = unicodedata.normalize("NFC", text)
    blank = "".join(
        " " if unicodedata.category(char) == "Zs" or char == "\t" else char for char in text
    )
    return " ".join(filter(None, blank.split(" ")))


def alike(words: Iterable[str]) -> list[list[str]]:
    """Return groups of words that differ only by case or by compatible characters.

    >>> alike(["Anger", "anger", "calm"])
    [['Anger', 'anger']]
    """
    groups: dict[str, list[str]] = {}
    for word in sorted(set(words)):
        groups.setdefault(unicodedata.normalize("NFKC", word).casefold(), []).append(word)
    return [group for group in groups.values() if len(group) > 1]
