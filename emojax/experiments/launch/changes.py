"""Rows of a table with changed settings: ``shared:mixup=0.2`` is ``shared`` with mixup."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from emojax.config import PATH_KEYS

# What an experiment decides itself, or asks for by flags of its own.
_DECIDED = (*PATH_KEYS, "base", "label_words", "partition", "seed")


def parse_row(row: str) -> tuple[str, dict[str, Any]]:
    """Split a row into its name and the settings of its network that it changes.

    Raises:
      ValueError: a change is no ``KEY=VALUE``, or is the experiment's to decide.

    >>> parse_row("adapt:transfer=finetune:label_smoothing=0.1")
    ('adapt', {'transfer': 'finetune', 'label_smoothing': 0.1})
    """
    name, *texts = row.split(":")
    changes = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise ValueError(
                f"--settings={row}: {text!r} is no change; give NAME:KEY=VALUE:KEY=VALUE, as in "
                "shared:mixup=0.2"
            )
        if key in _DECIDED:
            raise ValueError(f"--settings={row}: {key} is not a row's to change; leave it out")
        changes[key] = _value(value)
    return name, changes


def _value(text: str) -> Any:
    """Read a Python literal; anything else is a text, as in ``finetune``."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def in_path(row: str) -> str:
    """A row as part of a path.

    >>> in_path("adapt:transfer=finetune")
    'adapt_transfer=finetune'
    """
    return re.sub(r"[^\w.=-]+", "_", row)


def refuse_unknown(
    rows: Sequence[str], choices: Sequence[str], changing: Collection[str] = ()
) -> None:
    """Refuse rows of the command line that an experiment does not have.

    Args:
      rows: as on the command line.
      choices: names of rows.
      changing: those that have settings to change.

    Raises:
      ValueError: a row has another name, or a change that it cannot have.
    """
    parsed = {row: parse_row(row) for row in rows}
    unknown = [row for row, (name, _) in parsed.items() if name not in choices]
    if unknown:
        raise ValueError(
            f"--settings={', '.join(map(repr, unknown))}; choose of {', '.join(choices)}"
        )
    for row, (name, changes) in parsed.items():
        if changes and name not in changing:
            raise ValueError(f"--settings={row}: {name} has no settings to change; give {name}")


def refuse_ignored(row: str, settings: Mapping[str, Any]) -> None:
    """Raise a ValueError for a change that the settings of the row's network do not have.

    A base has its own network, and clips in memory have no devel part.
    """
    for key, value in parse_row(row)[1].items():
        wanted = list(value) if isinstance(value, tuple) else value
        if settings[key] != wanted:
            raise ValueError(
                f"--settings={row}: {key} stays {settings[key]!r}, whatever is given; leave it out"
            )
