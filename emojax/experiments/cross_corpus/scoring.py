"""Scores of every system on every corpus; each is kept and not computed again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import tqdm

from emojax.corpora.groups import speaker_groups
from emojax.evaluation.metrics import few_speakers, score
from emojax.experiments.cross_corpus.systems import Levels, System, levels_of
from emojax.files import replacing

_KEYS = {"n", "chance", "uar", "uar_ci95", "uar_ci95_over", "protocol", "devel_uar"}


@dataclasses.dataclass(frozen=True)
class Score:
    """One system on the test part of one corpus: an entry of the matrix.

    Attributes:
      system: name of its row.
      corpus: its column.
      within: whether the system was trained on this corpus, on other speakers.
      left_out: clips of the test part by speakers whom the system learnt from.
      result: of :meth:`emojax.evaluation.metrics.CorpusResult.to_json`, and ``devel_uar`` of the
        system; None where fewer than two levels are left to tell apart.
    """

    system: str
    corpus: str
    within: bool
    left_out: int
    result: Mapping | None

    @property
    def uar(self) -> float | None:
        """UAR in percent, if there is one."""
        return None if self.result is None else 100 * self.result["uar"]

    @property
    def few(self) -> str:
        """The mark of a score of too few speakers; of one kept by an older version, nothing."""
        return few_speakers(self.result.get("speakers") if self.result else None)

    @property
    def above_chance(self) -> float | None:
        """Percentage points above guessing, if there is a UAR."""
        return None if self.result is None else 100 * (self.result["uar"] - self.result["chance"])


def score_matrix(
    systems: Sequence[System], corpora: Levels, folder: Path, what: str
) -> list[Score]:
    """Test every system on the test part of every corpus that has one, row by row.

    No clip is tested by a speaker whom the system learnt from, also not where two corpora share
    speakers: those of a bit-identical recording count as one.

    Args:
      systems: the rows.
      corpora: under the levels of one dimension.
      folder: where finished scores are kept, a JSON file each; made when there is one.
      what: for the progress bar.
    """
    columns = [name for name, corpus in corpora.items() if len(corpus.partition.parts["test"])]
    with tqdm.tqdm(desc=what, total=len(systems) * len(columns), unit="cell", disable=None) as bar:
        return [
            entry for system in systems for entry in _row(system, corpora, columns, folder, bar)
        ]


def _row(
    system: System, corpora: Levels, columns: Sequence[str], folder: Path, bar: tqdm.tqdm
) -> Iterator[Score]:
    strangers = _strangers(system, corpora)
    tested = {
        name: strangers[name]
        for name in columns
        if len(np.unique(levels_of(corpora[name], strangers[name]))) > 1
    }
    files = {
        name: folder / f"{_key(system, corpora, name, clips)}.json"
        for name, clips in tested.items()
    }
    missing = {name: clips for name, clips in tested.items() if _read(files[name]) is None}
    bar.update(len(columns) - len(missing))
    for name, predicted, devel_uar in system.predict(missing) if missing else ():
        corpus, truth = corpora[name], levels_of(corpora[name], tested[name])
        speakers = [corpus.clips[index].speaker for index in tested[name]]
        result = score(name, corpus.partition.protocol, corpus.labels, truth, predicted, speakers)
        _write(files[name], {**result.to_json(), "devel_uar": devel_uar})
        bar.update()
    for name in columns:
        left_out = len(corpora[name].partition.parts["test"]) - len(strangers[name])
        found = _read(files[name]) if name in files else None
        yield Score(system.name, name, name in system.corpora, left_out, found)


def _strangers(system: System, corpora: Levels) -> dict[str, np.ndarray]:
    """Find the clips of each test part by speakers whom the system has not learnt from."""
    clips = [clip for corpus in corpora.values() for clip in corpus.clips]
    group = speaker_groups([*clips, *system.learnt_from])
    strange = ~np.isin(group[: len(clips)], group[len(clips) :])
    starts = np.cumsum([0, *(len(corpus.clips) for corpus in corpora.values())])
    return {
        name: indices[strange[start:stop][indices]]
        for (name, indices), (start, stop) in zip(
            ((name, corpus.partition.parts["test"]) for name, corpus in corpora.items()),
            pairwise(starts),
            strict=True,
        )
    }


def _key(system: System, corpora: Levels, name: str, indices: np.ndarray) -> str:
    """A digest of all that a score depends on."""
    corpus = corpora[name]
    clips = [dataclasses.astuple(corpus.clips[index]) for index in indices]
    content = [system.identity, name, corpus.partition.protocol, corpus.labels, clips]
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


def _read(path: Path) -> dict | None:
    """A finished score; None where there is none, or one that cannot be read."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.keys() >= _KEYS else None


def _write(path: Path, content: Mapping) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")
