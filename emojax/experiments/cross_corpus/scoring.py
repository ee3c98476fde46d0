"""Scores of every system on every corpus; finished scores are cached on disk."""

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
    """Score of one system on the test part of one corpus: an entry of the matrix.

    Attributes:
      system: name of the row.
      corpus: name of the column.
      within: True where the system was trained on other speakers of this corpus.
      left_out: number of test clips by speakers whom the system learnt from.
      result: output of :meth:`emojax.evaluation.metrics.CorpusResult.to_json`, with ``devel_uar``
        of the system; None where fewer than two levels are left.
    """

    system: str
    corpus: str
    within: bool
    left_out: int
    result: Mapping | None

    @property
    def uar(self) -> float | None:
        """UAR in percent; None without a result."""
        return None if self.result is None else 100 * self.result["uar"]

    @property
    def few(self) -> str:
        """Mark of a score of too few speakers; empty if a cached score does not count them."""
        return few_speakers(self.result.get("speakers") if self.result else None)

    @property
    def above_chance(self) -> float | None:
        """Percentage points above guessing; None without a result."""
        return None if self.result is None else 100 * (self.result["uar"] - self.result["chance"])


def score_matrix(
    systems: Sequence[System], corpora: Levels, folder: Path, what: str
) -> list[Score]:
    """Test every system on every corpus that has a test part, row by row.

    Test clips by speakers whom the system learnt from are left out, even across corpora: speakers
    of bit-identical recordings count as one speaker.

    Args:
      systems: rows of the matrix.
      corpora: corpora under the levels of one dimension.
      folder: folder of finished scores, a JSON file each; made for the first one.
      what: text of the progress bar.
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
    """Find the clips of each test part by speakers whom the system did not learn from."""
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
    """Return a digest of everything that a score depends on."""
    corpus = corpora[name]
    clips = [dataclasses.astuple(corpus.clips[index]) for index in indices]
    content = [system.identity, name, corpus.partition.protocol, corpus.labels, clips]
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


def _read(path: Path) -> dict | None:
    """Read a finished score; None where the file is missing or unreadable."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.keys() >= _KEYS else None


def _write(path: Path, content: Mapping) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")
