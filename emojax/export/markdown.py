"""Markdown of untrusted texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from emojax.files import printable


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts."""
    lines = [columns, ["---"] * len(columns), *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percent(share: object) -> str:
    """Return a share in percent, or that it is not known."""
    return f"{100 * share:.1f}" if isinstance(share, (int, float)) else "not known"


def escaped(text: str) -> str:
    r"""Return a text as Markdown that shows it as it is.

    >>> print(escaped("a|b <script>"))
    a\|b \<script\>
    """
    return re.sub(r"([\\`*_\[\]<>|&~$#!])", r"\\\1", printable(text))
