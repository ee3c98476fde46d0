"""Scores of the speakers of each sex, for corpora that give it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from emojax.corpora.sexes import sexes_of
from emojax.data.prepared import PreparedCorpus
from emojax.evaluation.metrics import CorpusResult, SexResult, score


def with_sexes(
    result: CorpusResult,
    sources: Iterable[PreparedCorpus],
    truth: np.ndarray,
    prediction: np.ndarray,
    speakers: Sequence[str],
) -> CorpusResult:
    """Return a result with the UAR of each sex; speakers of unknown sex are left out.

    Args:
      result: result of all clips.
      sources: the corpora of the clips; in a domain, names of speakers begin with their corpus's.
      truth: int ``[N]``, as for :func:`emojax.evaluation.metrics.score`.
      prediction: likewise.
      speakers: N names.
    """
    sex: dict[str, str] = {}
    for source in sources:
        own = sexes_of(source.spec, {clip.speaker for clip in source.clips})
        sex |= own | {f"{source.spec.name}/{who}": which for who, which in own.items()}
    which = np.array([sex.get(speaker, "") for speaker in speakers])
    scores = {}
    for one in sorted({*which} - {""}):
        rows = np.flatnonzero(which == one)
        who = [speakers[int(i)] for i in rows]
        part = score(result.corpus, "", result.labels, truth[rows], prediction[rows], who)
        scores[str(one)] = SexResult(part.n, part.speakers, part.chance, part.uar, part.uar_ci95)
    return dataclasses.replace(result, by_sex=scores)
