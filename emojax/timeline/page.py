"""Page of a timeline: one HTML file with everything in it, the sound too."""

from __future__ import annotations

import html
import json
import re
from importlib import resources
from pathlib import Path

import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.files import printable
from emojax.timeline.colours import label_colours
from emojax.timeline.sound import sound_of
from emojax.timeline.speech import CHUNK_SAMPLES, Scan
from emojax.timeline.timeline import Segment, Timeline, Track

_PAGE = resources.files(__package__).joinpath("page.html")
_MOST_POINTS = 40_000  # of a waveform
_LEVELS = 100


def page(timeline: Timeline, path: Path) -> str:
    """Return the content of the page that is to lie at ``path``.

    What comes from strangers is text in JSON, which the page shows as text only.
    """
    sound = sound_of(timeline.file, timeline.duration_s, path)
    name = printable(Path(timeline.file).name)
    colours = label_colours(timeline.labels)
    data = {
        "name": name,
        "duration_s": timeline.duration_s,
        "labels": list(map(printable, timeline.labels)),
        "colours": list(colours.values()),
        "tracks": list(map(_track, timeline.tracks)),
        "sound": {"type": sound.media_type, "link": sound.link, "note": sound.note},
    }
    places = {
        "name": html.escape(name),
        "sound": sound.base64,
        "data": json.dumps(data).replace("<", "\\u003c"),
    }
    # In one pass, since a name could look like a place.
    return re.sub(r"{{(\w+)}}", lambda place: places[place[1]], _PAGE.read_text(encoding="utf-8"))


def _track(track: Track) -> dict:
    return {
        "channel": track.channel,
        "waveform": waveform(track.scan),
        "seconds": [
            [round(one.start_s, 3), round(one.end_s, 3), _rounded(one.answer.arousal)]
            for one in track.seconds
        ],
        "segments": list(map(_segment, track.segments)),
    }


def _segment(segment: Segment) -> dict:
    answer = segment.answer
    return {
        "start": round(segment.start_s, 3),
        "end": round(segment.end_s, 3),
        "label": list(answer).index(answer.label),
        "probabilities": list(map(_rounded, answer.values())),
        "arousal": _rounded(answer.arousal),
        "valence": _rounded(answer.valence),
        "warning": printable(answer.warning),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def waveform(scan: Scan) -> dict:
    """Return the extremes of at most 40,000 pieces, from −100 to 100."""
    every = -(-len(scan.low) // _MOST_POINTS)
    starts = np.arange(0, len(scan.low), every)
    peak = max(-float(scan.low.min()), float(scan.high.max()))
    low = np.minimum.reduceat(scan.low, starts) / peak * _LEVELS
    high = np.maximum.reduceat(scan.high, starts) / peak * _LEVELS
    return {
        "low": low.round().astype(int).tolist(),
        "high": high.round().astype(int).tolist(),
        "piece_s": every * CHUNK_SAMPLES / SAMPLE_RATE_HZ,
    }
