"""The error of preparing."""

from __future__ import annotations

from emojax.files import printable

_LONGEST_LINE = 2000


class CorpusError(ValueError):
    r"""What a person gave cannot be prepared; the message says what was found and how to mend it.

    Names in it may come from strangers, so a terminal is shown their control characters as escapes,
    and of a line that never ends its two ends.

    >>> print(CorpusError("a\x1b[2J.wav: no such file"))
    a\x1b[2J.wav: no such file
    """

    def __init__(self, message: str):
        super().__init__("\n".join(map(_bounded, map(printable, message.split("\n")))))


def _bounded(line: str) -> str:
    half = _LONGEST_LINE // 2
    return line if len(line) <= _LONGEST_LINE else f"{line[:half]} … {line[-half:]}"
