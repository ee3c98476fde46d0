"""Error of the preparation of corpora."""

from __future__ import annotations

from emojax.files import printable

_LONGEST_LINE = 2000


class CorpusError(ValueError):
    r"""A corpus that cannot be prepared; the message says what was found and how to mend it.

    The message may contain names from untrusted files, so control characters are escaped and the
    middle of a very long line is left out.

    >>> print(CorpusError("a\x1b[2J.wav: no such file"))
    a\x1b[2J.wav: no such file
    """

    def __init__(self, message: str):
        super().__init__("\n".join(map(_bounded, map(printable, message.split("\n")))))


def _bounded(line: str) -> str:
    half = _LONGEST_LINE // 2
    return line if len(line) <= _LONGEST_LINE else f"{line[:half]} … {line[-half:]}"
