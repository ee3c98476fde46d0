"""Fonts for figures with labels in any script."""

from __future__ import annotations

import functools
import sys
import warnings
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager, get_font
from matplotlib.text import Text


def save_figure(figure: Figure, file: Any, **options: Any) -> None:
    """Save a figure as PNG; warn on standard error of characters that no installed font has.

    Args:
      figure: figure to save.
      file: path or open binary file.
      options: keyword arguments of ``savefig``.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # _choose_fonts prints one line
        figure.draw_without_rendering()
        _choose_fonts(figure)
        figure.savefig(file, format="png", **options)


def _choose_fonts(figure: Figure) -> None:
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    used = {ord(char) for text in texts for char in text.get_text() if not char.isspace()}
    families = list(matplotlib.rcParams["font.sans-serif"][:1])
    missing = used - _characters(families[0])
    while missing:
        best = max(_families(), key=lambda family: len(missing & _characters(family)))
        if not missing & _characters(best):
            break
        families.append(best)
        missing -= _characters(best)
    if len(families) > 1:
        for text in texts:
            text.set_fontfamily(families)
    if missing:
        shown = "".join(map(chr, sorted(missing)))[:20]
        print(
            f"no installed font has {shown}: boxes stand for it; install one, such as Noto",
            file=sys.stderr,
        )


@functools.cache
def _families() -> list[str]:
    return sorted({font.name for font in fontManager.ttflist})


@functools.cache
def _characters(family: str) -> frozenset[int]:
    """Return the characters of a family's first font."""
    paths = [font.fname for font in fontManager.ttflist if font.name == family]
    try:
        return frozenset(get_font(paths[0]).get_charmap()) if paths else frozenset()
    except (OSError, RuntimeError):  # a broken font file
        return frozenset()
