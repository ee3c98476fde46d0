"""Description of the model for the page, and limits of recordings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from emojax.audio.reading import MIN_DURATION_S
from emojax.corpora.affect import emotion
from emojax.inference.answer import Answer
from emojax.inference.stream import HOP_S, WINDOW_S
from emojax.timeline.colours import label_colours

PAGE = Path(__file__).with_name("static")
# Half an hour of 16 kHz takes 115 MB in memory; `emojax timeline` takes a day.
LONGEST_S = 30 * 60
MOST_BYTES = 100_000_000


def describe(labels: Iterable[str], corpus: str, engine: str) -> dict:
    """Return the content of ``page.json``.

    Args:
      labels: the labels of the model.
      corpus: the corpus whose labels they are.
      engine: module of the page that reaches the network, ``"server"`` or ``"onnx"``.

    >>> describe(["joy", "tired"], "calls", "server")["labels"][0]
    {'name': 'joy', 'colour': '#eedd88', 'emotion': 'happiness', 'arousal': 1.0, 'valence': 1.0}
    """
    return {
        "engine": engine,
        "corpus": corpus,
        "labels": [
            {
                "name": label,
                "colour": colour,
                "emotion": emotion(label),
                "arousal": Answer({label: 1.0}).arousal,
                "valence": Answer({label: 1.0}).valence,
            }
            for label, colour in label_colours(tuple(labels)).items()
        ],
        "window_s": WINDOW_S,
        "hop_s": HOP_S,
        "shortest_s": MIN_DURATION_S,
        "longest_s": LONGEST_S,
        "most_bytes": MOST_BYTES,
    }
