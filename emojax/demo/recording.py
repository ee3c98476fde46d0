"""Answers for a whole recording, as the page draws them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emojax.audio.reading import SAMPLE_RATE_HZ, TooLong, read_audio
from emojax.demo.page import LONGEST_S
from emojax.inference.answer import Answer
from emojax.timeline.page import waveform
from emojax.timeline.speech import find_stretches, scan
from emojax.timeline.windows import window_spans

if TYPE_CHECKING:
    from emojax.inference.api import Model

_WINDOWS_AT_ONCE = 16


def answer_recording(model: Model, path: str | os.PathLike) -> Iterator[dict]:
    """Yield what is in a recording, and then the answers for its windows, some at a time.

    Raises:
      ValueError: the recording cannot be used, before anything is yielded.
    """
    try:
        samples = read_audio(path, LONGEST_S)
    except TooLong:
        raise ValueError(
            f"longer than {LONGEST_S // 60} minutes, which this page takes; the command "
            "emojax timeline takes a day"
        ) from None
    seen = scan([samples])
    stretches = find_stretches(seen.speech, len(samples))
    yield {
        "duration_s": len(samples) / SAMPLE_RATE_HZ,
        "waveform": waveform(seen),
        "stretches": [[bound / SAMPLE_RATE_HZ for bound in stretch] for stretch in stretches],
    }
    spans = itertools.chain.from_iterable(map(window_spans, stretches))
    while some := list(itertools.islice(spans, _WINDOWS_AT_ONCE)):
        answers = model.predict_windows([samples[first:last] for first, last in some])
        yield {
            "windows": [
                window(first / SAMPLE_RATE_HZ, last / SAMPLE_RATE_HZ, answer)
                for (first, last), answer in zip(some, answers, strict=True)
            ]
        }


def window(start_s: float, end_s: float, answer: Answer) -> dict:
    """Return the answer for one window as plain JSON types."""
    return {
        "start_s": start_s,
        "end_s": end_s,
        "probabilities": [round(share, 4) for share in answer.values()],
        "embedding": [] if answer.embedding is None else answer.embedding.tolist(),
        "warning": answer.warning,
    }
