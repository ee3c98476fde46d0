"""Corpora under the six emotions: which of them are used, and Table 1."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from emojax.corpora.affect import emotion, of_corpus, parse_mapping
from emojax.data.prepared import PreparedCorpus, find_corpora
from emojax.evaluation.metrics import count_speakers
from emojax.experiments.corpus_arguments import prepare
from emojax.experiments.launch.spec import Spec
from emojax.experiments.reports.report import Picture
from emojax.experiments.reports.table import Cell, Table
from emojax.experiments.transferable.approaches import FEWEST, SIX

_CAPTION = "Table 1: clips of each corpus by emotion"
_COLUMNS = {"corpus": "", "language": "", "style": "", "speakers": "d"}
_COLUMNS |= {**dict.fromkeys(SIX, ",d"), "clips": ",d", "left out": ",d"}


def restrict(
    corpora: Mapping[str, PreparedCorpus], label_words: str = ""
) -> dict[str, PreparedCorpus]:
    """Return the corpora with the clips of the six emotions only, under these labels.

    Args:
      corpora: name → corpus.
      label_words: text for :func:`emojax.corpora.affect.parse_mapping`.
    """
    words = parse_mapping(label_words)
    restricted = {}
    for name, corpus in corpora.items():
        meant = [emotion(clip.label, of_corpus(words, name)) for clip in corpus.clips]
        clips = [
            dataclasses.replace(clip, label=word)
            for clip, word in zip(corpus.clips, meant, strict=True)
            if word in SIX
        ]
        spec = dataclasses.replace(corpus.spec, labels=SIX)
        restricted[name] = dataclasses.replace(corpus, spec=spec, clips=clips)
    return restricted


def choose_corpora(spec: Spec) -> tuple[Spec, dict[str, PreparedCorpus], list[str]]:
    """Prepare the corpora, and choose those that have enough of the six emotions.

    Returns:
      The specification and the corpora without the others, and a line on each of the others.

    Raises:
      ValueError: a corpus cannot be prepared, or the words of labels are invalid.
    """
    parse_mapping(spec.label_words)
    prepare(spec.corpora.values(), spec.source_dir, spec.data_dir)
    corpora = find_corpora(list(spec.corpora), Path(spec.data_dir).expanduser())
    there = {
        name: {clip.label for clip in one.clips}
        for name, one in restrict(corpora, spec.label_words).items()
    }
    left_out = [
        f"{name} is left out: it has {len(words)} of {', '.join(SIX)}, fewer than {FEWEST}"
        for name, words in there.items()
        if len(words) < FEWEST
    ]
    kept = {name: one for name, one in corpora.items() if len(there[name]) >= FEWEST}
    items = {name: spec.corpora[name] for name in kept}
    chosen = dataclasses.replace(spec, corpora=items, label_words=spec.words_for(items))
    return chosen, kept, left_out


def set_pieces(
    corpora: Mapping[str, PreparedCorpus], restricted: Mapping[str, PreparedCorpus]
) -> list[Table | Picture]:
    """Return Table 1 and its picture.

    Args:
      corpora: name → corpus with all of its clips.
      restricted: the same corpora with the clips of the six emotions.
    """
    rows = [_row(corpora[name], one) for name, one in restricted.items()]
    table = Table("table_1", _CAPTION, _COLUMNS, rows)
    return [table, Picture("table_1", _CAPTION, _bars(restricted))]


def _row(corpus: PreparedCorpus, restricted: PreparedCorpus) -> list[Cell]:
    spec, clips = corpus.spec, restricted.clips
    counts = Counter(clip.label for clip in clips)
    about: list[Cell] = [spec.name, spec.language, spec.style]
    speakers = count_speakers(clip.speaker for clip in clips)
    left_out = len(corpus.clips) - len(clips)
    return [*about, speakers, *(counts[word] for word in SIX), len(clips), left_out]


def _bars(restricted: Mapping[str, PreparedCorpus]) -> Figure:
    """Draw a bar for each corpus, with a piece for each emotion."""
    figure = Figure(figsize=(7.5, 1.4 + 0.36 * len(restricted)), layout="constrained")
    ax = figure.subplots()
    begin, names = np.zeros(len(restricted)), list(restricted)
    for word in SIX:
        counts = [Counter(clip.label for clip in one.clips)[word] for one in restricted.values()]
        clips = np.array(counts)
        ax.barh(range(len(names)), clips, left=begin, label=word)
        begin = begin + clips
    ax.set_yticks(range(len(names)), names, parse_math=False)
    ax.invert_yaxis()
    ax.set_xlabel("clips")
    figure.legend(loc="outside upper center", ncols=len(SIX), fontsize=8)
    return figure
