"""Files of a timeline, in the format that their suffix names."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from emojax.files import printable, replacing
from emojax.timeline.page import page
from emojax.timeline.picture import picture
from emojax.timeline.table import clock
from emojax.timeline.timeline import Segment, Timeline

_NAMES = "surrogateescape"  # a file's name may be no Unicode
Writer = Callable[[Timeline, Path], str | bytes]


def write(timeline: Timeline, path: str | os.PathLike) -> None:
    """Write a file whose suffix names the format: all of it, or an error and nothing.

    Args:
      timeline: from :func:`emojax.timeline.timeline.make_timeline`.
      path: ends in .csv, .jsonl, .rttm, .vtt, .txt, .TextGrid, .png or .html.

    Raises:
      ValueError: the suffix is none of these.
      ImportError: .TextGrid needs praatio (extra ``praat``).
    """
    path = Path(path)
    content = writer_of(path)(timeline, path)
    if isinstance(content, str):
        content = content.encode("utf-8", _NAMES)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_bytes(content)


def writer_of(path: Path) -> Writer:
    """Return what makes the content of a file; errors as for :func:`write`."""
    writers = {suffix.lower(): writer for suffix, writer in _WRITERS.items()}
    found = writers.get(path.suffix.lower())
    if found is None:
        given, allowed = printable(str(path)), ", ".join(_WRITERS)
        raise ValueError(f"{given}: unknown format; end the name in one of {allowed}")
    if found is _text_grid:
        importlib.import_module("praatio")  # before an hour of work, not after it
    return found


def _csv(timeline: Timeline, path: Path) -> str:
    """Make audformat's segmented table; start and end are in seconds."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    channel = ["channel"] if timeline.is_split else []
    head = ["file", "start", "end", "label", *timeline.labels, "arousal", "valence", "warning"]
    rows.writerow([*head, *channel])
    for start_s, end_s, number, answer in timeline.segments:
        own = [answer.label, *answer.values(), answer.arousal, answer.valence, answer.warning]
        rows.writerow([timeline.file, start_s, end_s, *own, *([number] if channel else [])])
    return text.getvalue()


def _json_lines(timeline: Timeline, path: Path) -> str:
    return "".join(json.dumps(row) + "\n" for row in _dicts(timeline))


def _dicts(timeline: Timeline) -> Iterator[dict]:
    for start_s, end_s, channel, answer in timeline.segments:
        yield {
            "file": timeline.file,
            "start": start_s,
            "end": end_s,
            **({"channel": channel} if timeline.is_split else {}),
            **answer.to_json(),
        }


def _rttm(timeline: Timeline, path: Path) -> str:
    """Make NIST's Rich Transcription Time Marked lines, whose fields have no spaces."""
    name = _word(Path(timeline.file).stem)
    return "".join(
        f"SPEAKER {name} {segment.channel or 1} {segment.start_s:.3f} {segment.duration_s:.3f} "
        f"<NA> <NA> {_word(segment.answer.label)} <NA> <NA>\n"
        for segment in timeline.segments
    )


def _word(text: str) -> str:
    return "_".join(printable(text).split()) or "_"


def _vtt(timeline: Timeline, path: Path) -> str:
    cues = [
        f"{clock(segment.start_s, 3)} --> {clock(segment.end_s, 3)}\n"
        f"{_cue_text(_title(segment))} {segment.answer[segment.answer.label]:.0%}\n"
        for segment in timeline.segments
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _cue_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _title(segment: Segment) -> str:
    label = printable(segment.answer.label)
    return f"channel {segment.channel}: {label}" if segment.channel else label


def _audacity(timeline: Timeline, path: Path) -> str:
    return "".join(
        f"{segment.start_s:.6f}\t{segment.end_s:.6f}\t{_title(segment)}\n"
        for segment in timeline.segments
    )


def _text_grid(timeline: Timeline, path: Path) -> str:
    """Make Praat's TextGrid, with a tier for each channel."""
    from praatio.utilities.textgrid_io import getTextgridAsStr

    span = {"xmin": 0.0, "xmax": timeline.duration_s}
    tiers = [
        {
            "class": "IntervalTier",
            "name": f"channel {track.channel}" if track.channel else "emotion",
            "entries": [
                (segment.start_s, segment.end_s, printable(segment.answer.label))
                for segment in track.segments
            ],
            **span,
        }
        for track in timeline.tracks
    ]
    return getTextgridAsStr({"tiers": tiers, **span}, "long_textgrid", includeBlankSpaces=True)


_WRITERS: Mapping[str, Writer] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".rttm": _rttm,
    ".vtt": _vtt,
    ".txt": _audacity,
    ".TextGrid": _text_grid,
    ".png": picture,
    ".html": page,
}
