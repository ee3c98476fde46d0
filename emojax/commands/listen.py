"""The emotion of what the microphone hears, once a second: of the last 3 s.

Ctrl-C ends it. Nothing is recorded. --file=FILE answers for a recording in the same way, as fast as
it is spoken.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from emojax.commands.model_arguments import add_model_arguments, load_model
from emojax.files import printable

if TYPE_CHECKING:
    from emojax.inference.stream import Moment

AGAIN = ""
_BLOCK_S = 0.1
_BAR_CELLS = 20
# Blocks that wait for a slow network: older ones are dropped.
_MOST_WAITING = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_model_arguments(parser)
    parser.add_argument("--file", help="a recording instead of the microphone")


def run(arguments: argparse.Namespace) -> None:
    """Listen until Ctrl-C, or to the end of the recording."""
    from emojax.audio.reading import SAMPLE_RATE_HZ

    name = os.path.expanduser(arguments.file or "")
    blocks = _in_time(_recording(name)) if name else _microphone(SAMPLE_RATE_HZ)
    model = load_model(arguments)
    model.refuse_numbers("listening")
    model.predict_windows([np.zeros(3 * SAMPLE_RATE_HZ, np.float32)])  # compiles
    stream = model.stream(SAMPLE_RATE_HZ)
    try:
        for block in blocks:
            _show(stream.feed(block))
        _show(stream.finish())
    except KeyboardInterrupt:
        raise SystemExit(0) from None


def _show(moments: Iterable[Moment]) -> None:
    for moment in moments:
        print(_line(moment), flush=True)


def _line(moment: Moment) -> str:
    """Return a line with the time, the two most probable labels and a warning."""
    best = sorted(moment.answer.items(), key=lambda item: -item[1])[:2]
    shares = "  ".join(f"{printable(label)} {share:4.0%}" for label, share in best)
    bar = "█" * round(best[0][1] * _BAR_CELLS)
    line = f"{moment.end_s:7.1f} s  {bar:{_BAR_CELLS}}  {shares}"
    return f"{line}  ({moment.answer.warning})" if moment.answer.warning else line


def _recording(path: str) -> Iterator[np.ndarray]:
    """Return the blocks of a recording; a ValueError names the file."""
    from emojax.audio.reading import BadAudio, read_blocks

    try:
        return read_blocks(path)
    except BadAudio as error:
        raise ValueError(f"{printable(path)}: {error}") from None


def _in_time(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield a recording in short blocks, each when it would have been heard."""
    from emojax.audio.reading import SAMPLE_RATE_HZ

    begun_s, heard_s, size = time.monotonic(), 0.0, round(_BLOCK_S * SAMPLE_RATE_HZ)
    for block in blocks:
        for start in range(0, len(block), size):
            piece = block[start : start + size]
            heard_s += len(piece) / SAMPLE_RATE_HZ
            time.sleep(max(0.0, begun_s + heard_s - time.monotonic()))
            yield piece


def _microphone(rate_hz: int) -> Iterator[np.ndarray]:
    """Yield what the default microphone hears, in blocks f32 ``[n, 1]``.

    Raises:
      ValueError: PortAudio or a microphone is missing.
    """
    try:
        import sounddevice
    except OSError:
        raise ValueError(
            "PortAudio is not installed, which reaches the microphone; install the package "
            "libportaudio2 (Debian, Ubuntu) or portaudio (Fedora, Homebrew)"
        ) from None
    waiting: queue.Queue[np.ndarray] = queue.Queue(_MOST_WAITING)

    def take(block: np.ndarray, *_: object) -> None:
        if waiting.full():
            waiting.get_nowait()
            print("slower than speech: 0.1 s left out", file=sys.stderr)
        waiting.put_nowait(block.copy())

    try:
        with sounddevice.InputStream(rate_hz, round(_BLOCK_S * rate_hz), channels=1, callback=take):
            while True:
                yield waiting.get()
    except sounddevice.PortAudioError as error:
        raise ValueError(
            f"no microphone can be opened: {error}; plug one in, or give a recording: --file=FILE"
        ) from None
