"""Names of segments: file and times as a W3C media fragment (``calls/a.wav#t=1.5,3.2``)."""

from __future__ import annotations

import re

_FRAGMENT = re.compile(r"#t=-?\d+(\.\d+)?(,-?\d+(\.\d+)?)?$")


def segment_name(file: str, start_s: float = 0.0, end_s: float | None = None) -> str:
    """Return the name of a segment of a file; the whole file keeps its name.

    Args:
      file: name of the recording.
      start_s: start of the segment in seconds.
      end_s: end of the segment in seconds; None means the end of the file.

    >>> segment_name("a.wav", 1.5, 3.2), segment_name("a.wav", 2), segment_name("a.wav")
    ('a.wav#t=1.5,3.2', 'a.wav#t=2', 'a.wav')
    """
    if not start_s and end_s is None:
        return file
    return f"{file}#t={_decimal(start_s)}" + (f",{_decimal(end_s)}" if end_s is not None else "")


def recording_of(name: str) -> str:
    """Return the name of the file that a clip was cut from.

    >>> recording_of("calls/a.wav#t=1.5,3.2"), recording_of("calls/a.wav")
    ('calls/a.wav', 'calls/a.wav')
    """
    return _FRAGMENT.sub("", name)


def _decimal(time_s: float) -> str:
    """Format a time to the microsecond, without trailing zeros."""
    return f"{time_s:.6f}".rstrip("0").rstrip(".")
