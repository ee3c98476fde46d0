"""Colours of labels, on which black text is legible and which colour-blind readers tell apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from emojax.corpora.affect import emotion

# The scheme "light" of Paul Tol, https://sronpersonalpages.nl/~pault.
_COLOURS = {
    "anger": "#ee8866",
    "boredom": "#44bb99",
    "disgust": "#aaaa00",
    "fear": "#99ddff",
    "happiness": "#eedd88",
    "neutral": "#dddddd",
    "sadness": "#77aadd",
    "surprise": "#ffaabb",
    "": "#bbcc33",
}


def label_colours(labels: Sequence[str]) -> dict[str, str]:
    """Return label → colour: that of its common emotion, or else one that is free.

    Of more than nine labels some share a colour, so name them too.

    >>> label_colours(["happy", "cross", "Wut", "neutral"])
    {'happy': '#eedd88', 'cross': '#bbcc33', 'Wut': '#ee8866', 'neutral': '#dddddd'}
    """
    free = dict(_COLOURS)
    own = {label: free.pop(emotion(label), "") for label in labels}
    others = itertools.cycle([*free.values()] or [*_COLOURS.values()])
    return {label: colour or next(others) for label, colour in own.items()}
