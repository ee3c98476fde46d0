"""Picture of a timeline: waveform, coloured segments and arousal over time."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.files import printable
from emojax.fonts import save_figure
from emojax.timeline.colours import label_colours
from emojax.timeline.speech import CHUNK_SAMPLES
from emojax.timeline.table import clock
from emojax.timeline.timeline import Segment, Timeline, Track

_WIDTH_IN = 11.0
_ROW_IN = 1.5
_ROW_S = 60.0
_MOST_ROWS = 12
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
_MOST_TICKS = 12
_INK = "#303030"
_CHARACTER_IN = 0.056


def picture(timeline: Timeline, path: Path) -> bytes:
    """Draw a PNG; a long recording is cut into at most a dozen rows of equal length."""
    count = min(_MOST_ROWS, math.ceil(timeline.duration_s / _ROW_S))
    edges_s = np.linspace(0, timeline.duration_s, count + 1)
    rows = [
        (track, start_s, end_s)
        for start_s, end_s in itertools.pairwise(map(float, edges_s))
        for track in timeline.tracks
    ]
    figure = Figure(figsize=(_WIDTH_IN, 0.9 + _ROW_IN * len(rows)), dpi=120, layout="constrained")
    axes = figure.subplots(2 * len(rows), 1, squeeze=False, height_ratios=[3, 1] * len(rows))[:, 0]
    colours = label_colours(timeline.labels)
    peak = max(float(np.abs([track.scan.low, track.scan.high]).max()) for track in timeline.tracks)
    for (track, start_s, end_s), wave, curve in zip(rows, axes[::2], axes[1::2], strict=True):
        _draw_wave(wave, track, start_s, end_s, peak, colours)
        _draw_arousal(curve, track, start_s, end_s)
    _draw_legend(figure, timeline, colours)
    content = io.BytesIO()
    save_figure(figure, content)
    return content.getvalue()


def _draw_wave(
    ax: Axes,
    track: Track,
    start_s: float,
    end_s: float,
    peak: float,
    colours: dict[str, str],
) -> None:
    """Draw the waveform of a row over its segments, which are named where the name fits."""
    for segment in _within(track.segments, start_s, end_s):
        first_s, last_s = max(segment.start_s, start_s), min(segment.end_s, end_s)
        ax.axvspan(first_s, last_s, color=colours[segment.answer.label], linewidth=0)
        name = printable(segment.answer.label)
        width_in = (last_s - first_s) / (end_s - start_s) * (_WIDTH_IN - 0.5)
        if width_in > len(name) * _CHARACTER_IN:
            ax.text(first_s, 1, f" {name}", va="top", fontsize=8, parse_math=False)
    chunk_s = CHUNK_SAMPLES / SAMPLE_RATE_HZ
    part = slice(int(start_s / chunk_s), math.ceil(end_s / chunk_s))
    time_s = (np.arange(len(track.scan.low))[part] + 0.5) * chunk_s
    low, high = track.scan.low[part] / peak, track.scan.high[part] / peak
    ax.fill_between(time_s, low, high, color=_INK, linewidth=0.4)
    ax.set(xlim=(start_s, end_s), ylim=(-1, 1), xticks=[], yticks=[])
    ax.set_ylabel(f"channel {track.channel}" if track.channel else "", fontsize=8)
    ax.spines[:].set_visible(False)


def _draw_arousal(ax: Axes, track: Track, start_s: float, end_s: float) -> None:
    """Draw the arousal of each second, from 0 to 1; nothing where the labels have none."""
    known = [
        (second.answer.arousal, second.start_s, second.end_s)
        for second in _within(track.seconds, start_s, end_s)
        if second.answer.arousal is not None
    ]
    ax.hlines(*np.reshape(known, (-1, 3)).T, color=_INK, linewidth=2)
    ax.set(xlim=(start_s, end_s), ylim=(-0.05, 1.05), yticks=[0, 1])
    step_s = next((step for step in _STEPS_S if (end_s - start_s) / step <= _MOST_TICKS), 7200)
    ax.xaxis.set_major_locator(MultipleLocator(step_s))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda time_s, _: clock(time_s)[:-2].removeprefix("00:"))
    )
    ax.set_ylabel("arousal", fontsize=8)
    ax.tick_params(labelsize=8)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def _within(segments: Sequence[Segment], start_s: float, end_s: float) -> list[Segment]:
    return [one for one in segments if one.start_s < end_s and one.end_s > start_s]


def _draw_legend(figure: Figure, timeline: Timeline, colours: dict[str, str]) -> None:
    """Draw the labels with their share of the speech."""
    total_s: dict[str, float] = {}
    for segment in timeline.segments:
        label = segment.answer.label
        total_s[label] = total_s.get(label, 0.0) + segment.duration_s
    spoken_s = sum(total_s.values())
    handles = [
        Patch(color=colours[label], label=f"{printable(label)} {total_s[label] / spoken_s:.0%}")
        for label in sorted(total_s, key=total_s.__getitem__, reverse=True)
    ]
    name = printable(Path(timeline.file).name)
    legend = figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=min(len(handles), 6) or 1,
        fontsize=9,
        frameon=False,
        title=name if handles else f"{name}: no speech found",
    )
    for text in [legend.get_title(), *legend.get_texts()]:
        text.set_parse_math(False)
