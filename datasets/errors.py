"""The error of preparing."""

from __future__ import annotations

from emojax.files import printable


class CorpusError(ValueError):
    r"""What a person gave cannot be prepared; the message says what was found and how to mend it.

    Names in it may come from strangers, so a terminal is shown their control characters as escapes.

    >>> print(CorpusError("a\x1b[2J.wav: no such file"))
    a\x1b[2J.wav: no such file
    """

    def __init__(self, message: str):
        super().__init__("\n".join(map(printable, message.split("\n"))))
