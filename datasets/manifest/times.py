"""Parser of times in tables: numbers with or without a unit, clock times and time deltas."""

from __future__ import annotations

import re

_NUMBER = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(?P<unit>s|ms)?", re.IGNORECASE
)
_CLOCK = re.compile(
    r"(?P<sign>-)?(?:(?P<days>-?\d{1,9}) days?,? ?)?\+?(?:(?P<hours>\d{1,9}):)?"
    r"(?P<minutes>\d{1,9}):(?P<seconds>\d{1,9}(?:\.\d+)?)",
    re.IGNORECASE,
)
_DAYS = re.compile(r"(-?\d{1,9}) days?", re.IGNORECASE)


def read_time_s(text: str, unit_s: float = 1.0) -> float:
    """Parse a time.

    Args:
      text: ``1.5``, ``1.5 s``, ``1500 ms``, ``00:01.5``, ``00:00:01.5`` or ``0 days 00:00:01.5``.
      unit_s: unit of a number without a unit, in seconds.

    Returns:
      The time in seconds.

    Raises:
      ValueError: the text has none of these forms.

    >>> read_time_s("1500", 0.001), read_time_s("0 days 00:00:01.500000"), read_time_s("1:02.5")
    (1.5, 1.5, 62.5)
    """
    if number := _NUMBER.fullmatch(text):
        unit = {None: unit_s, "s": 1.0, "ms": 1e-3}[number["unit"] and number["unit"].lower()]
        time_s = float(number["number"]) * unit
        # Larger numbers lose microseconds to rounding; no recording is that long.
        if abs(time_s) < 1e9:
            return time_s
    if days := _DAYS.fullmatch(text):
        return int(days[1]) * 86400.0
    if clock := _CLOCK.fullmatch(text):
        hours = int(clock["days"] or 0) * 24 + int(clock["hours"] or 0)
        time_s = (hours * 60 + int(clock["minutes"])) * 60 + float(clock["seconds"])
        return -time_s if clock["sign"] else time_s
    raise ValueError(f"{text!r} is no time")
