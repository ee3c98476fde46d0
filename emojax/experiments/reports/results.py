"""Results of finished runs, read from their work directories."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from emojax.evaluation.comparison import Predictions, predictions_of
from emojax.evaluation.metrics import count_speakers
from emojax.evaluation.score_files import finished_near


@dataclasses.dataclass(frozen=True)
class Scored:
    """Scores of one corpus in one finished run; fractions, not percent.

    Attributes:
      workdir: work directory of the run.
      run: content of ``results.json``.
      result: scores of this corpus, see :meth:`emojax.evaluation.metrics.CorpusResult.to_json`.
      devel_uar: devel UAR of the chosen state; None without a devel part.
      predictions: file → prediction, for the test part.
    """

    workdir: Path
    run: Mapping
    result: Mapping
    devel_uar: float | None
    predictions: Predictions

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.run["config"]["seed"]

    @property
    def speakers(self) -> int | None:
        """Who speak the test part, also of a run that does not count them; None if unknown."""
        return count_speakers(row.speaker for row in self.predictions.values())


def read_setting(setting: str, workdirs: Sequence[Path]) -> dict[str, list[Scored]]:
    """Read the runs of a setting: corpus → its scores, one per seed, in the order of the seeds.

    Raises:
      ValueError: a folder has no results, or a corpus occurs twice with one seed.
    """
    corpora: dict[str, dict[int, Scored]] = defaultdict(dict)
    for workdir in workdirs:
        for name, scored in read_run(workdir).items():
            other = corpora[name].setdefault(scored.seed, scored)
            if other is not scored:
                raise ValueError(
                    f"{setting}: corpus {name} with seed {scored.seed} is in {other.workdir} "
                    f"and in {workdir}; give each corpus once for each seed"
                )
    return {name: [seeds[seed] for seed in sorted(seeds)] for name, seeds in corpora.items()}


def read_run(workdir: Path) -> dict[str, Scored]:
    """Read the run in a work directory: corpus → its scores, in the order of the run.

    Raises:
      ValueError: the run was not scored, or its files are invalid.
    """
    path = workdir / "results.json"
    if not path.is_file():
        raise ValueError(
            f"{workdir} holds no results{finished_near(workdir)}; for those of this run: "
            f"python evaluate.py --workdir={workdir}"
        )
    rows = predictions_of(workdir)
    try:
        run = json.loads(path.read_text("utf-8"))
        _check(run, rows)
        run["versions"] = dict(run.get("versions", {}))
        return {
            name: Scored(workdir, run, result, run["devel_uar"].get(name), rows[name])
            for name, result in run["corpora"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is not what evaluate.py writes ({type(error).__name__}: {error}); "
            "score the run again"
        ) from error


def _check(run: Mapping, rows: Mapping[str, Predictions]) -> None:
    missing = {"part", "step", "utterance", "command"} - set(run) | {"seed"} - set(run["config"])
    for name, result in run["corpora"].items():
        missing |= {"protocol", "n", "chance", "uar", "war"} - set(result)
        if not missing and result["n"] != len(rows.get(name, ())):
            raise ValueError(f"{name} has {result['n']} clips, but not so many in predictions.csv")
    if missing:
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    if run["part"] != "test":
        raise ValueError(f"it is of the {run['part']} part")
