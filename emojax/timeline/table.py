"""Timeline as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from emojax.files import printable
from emojax.timeline.timeline import Segment, Timeline


def table(timeline: Timeline) -> str:
    """Format a timeline: a line for each segment, and why some of them are doubtful.

    The share is the probability of the label; arousal is from 0 to 1, valence from −1 to 1.
    """
    segments = timeline.segments
    if not segments:
        return nobody(timeline)
    head = ["start", "end", *(["channel"] if timeline.is_split else []), "label", "share"]
    rows = [[*head, "arousal", "valence"], *(_cells(segment) for segment in segments)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, *_warnings(segments)])


def nobody(timeline: Timeline) -> str:
    """Return the line that says that nobody speaks."""
    return printable(f"{timeline.file}: no speech found in {clock(timeline.duration_s)}")


def clock(time_s: float, digits: int = 1) -> str:
    """Format a time.

    >>> clock(3725.25), clock(0.9996, 3), clock(59.96)
    ('01:02:05.2', '00:00:01.000', '00:01:00.0')
    """
    parts = 10**digits
    seconds, rest = divmod(round(time_s * parts), parts)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:0{digits}}"


def _cells(segment: Segment) -> list[str]:
    answer = segment.answer
    return [
        clock(segment.start_s),
        clock(segment.end_s),
        *([str(segment.channel)] if segment.channel else []),
        printable(answer.label),
        f"{answer[answer.label]:.0%}",
        "" if answer.arousal is None else f"{answer.arousal:.2f}",
        "" if answer.valence is None else f"{answer.valence:+.2f}",
    ]


def _warnings(segments: Sequence[Segment]) -> list[str]:
    """Return a line for each kind of warning, with the first text of its kind."""
    texts = [segment.answer.warning for segment in segments if segment.answer.warning]
    kinds = [text.partition(":")[0] for text in texts]
    return [
        printable(f"{kinds.count(kind)} of {len(segments)} segments: {texts[kinds.index(kind)]}")
        for kind in dict.fromkeys(kinds)
    ]
