"""Single runs of an experiment: the commands, the folder, and whether it is finished."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emojax.checkpoints import differences, read_manifest
from emojax.experiments.launch.runner import MARK, holding
from emojax.files import replacing

NOTE = "job.json"


@dataclasses.dataclass(frozen=True)
class Job:
    """One run: commands that leave results, one after the other.

    Attributes:
      name: also its folder's, below the folder of all runs.
      folder: what it writes into.
      commands: arguments of Python, to be run where the scripts are.
      results: folder → setting that its results count for, empty where no table of this experiment
        has them.
      config: all settings that make it this run, as JSON types.
      corpora: names of what it learns from.
      after: jobs that have to be finished before; a network begins at the first of them.
      is_network: whether it leaves checkpoints, whose manifest says what it is.
      partitions: the manifest's, of ``corpora`` or of their domains; empty until the corpora are
        prepared.
    """

    name: str
    folder: Path
    commands: Sequence[Sequence[str]]
    results: Mapping[Path, str]
    config: Mapping
    corpora: Sequence[str] = ()
    after: Sequence[Job] = ()
    is_network: bool = False
    partitions: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)

    def begin(self) -> bool:
        """Make its folder; where no checkpoint will say what it is, say it there.

        Returns:
          Whether it is to be run: no other process has it now, or has finished it meanwhile.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with holding(self.folder, wait=False) as lock:
            free = lock is not None and not self.is_finished()
            if free:
                self._note()
        return free

    def _note(self) -> None:
        (self.folder / MARK).unlink(missing_ok=True)  # it may have lost its results
        if (
            not self.is_network
        ):  # an SVM leaves no manifest, and its results do not say what data it learnt
            with replacing(self.folder / NOTE) as draft:
                note = {"config": self.config, "partitions": self.partitions}
                draft.write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")

    def is_finished(self) -> bool:
        """Say whether it need not be run."""
        return (self.folder / MARK).exists() and all(
            (folder / "results.json").is_file() for folder in self.results
        )

    def check_folder(self) -> None:
        """Raise a ValueError where the folder holds a run with other settings, or on other data."""
        begun = self._begun()
        if begun is not None and "partitions" in begun:
            self._compare(begun, self.folder)
        elif begun is not None or (self.folder / MARK).exists():
            raise ValueError(
                f"{self.folder} does not say what data it learnt from: it was begun by an older emojax, or "
                "its checkpoints are gone; give another --out, or read what is finished there with "
                "--workdirs=NAME=FOLDER"
            )

    def _begun(self) -> Mapping | None:
        """The manifest of the run in the folder, if one was begun."""
        if self.is_network:
            steps = (self.folder / "checkpoints").glob("*")
            return (
                read_manifest(self.folder) if any(step.name.isdecimal() for step in steps) else None
            )
        note = self.folder / NOTE
        return json.loads(note.read_text("utf-8")) if note.is_file() else None

    def _compare(self, saved: Mapping, folder: Path, prefix: str = "") -> None:
        """Compare what a run in a folder says of itself, and of what it began at, with this job."""
        config = {
            key: value for key, value in saved["config"].items() if key != "base"
        }  # it may have moved
        lines = differences({"config": config}, {"config": self.config}, prefix)
        if lines:
            raise ValueError(
                f"{folder} has a run of other settings; give another --out, or those of that run:\n  "
                + "\n  ".join(lines)
            )
        digests = {name: one["digest"] for name, one in saved["partitions"].items()}
        changed = [
            name for name, one in self.partitions.items() if digests.get(name) != one["digest"]
        ]
        if changed:
            raise ValueError(
                f"{folder} has a run on other data: {', '.join(changed)} changed since then "
                "(recordings, labels, or who is in which part); give another --out, or the corpus as it was"
            )
        if "base" in saved:
            self.after[0]._compare(saved["base"], folder, f"{prefix}base.")


def scored(jobs: Iterable[Job]) -> dict[str, list[Path]]:
    """Collect the folders of results of the finished jobs, by setting."""
    settings: dict[str, list[Path]] = {}
    for job in jobs:
        for folder, setting in job.results.items():
            found = settings.setdefault(setting, [])  # in the plan's order, whatever has failed
            if job.is_finished():
                found.append(folder)
    return {setting: folders for setting, folders in settings.items() if setting and folders}
