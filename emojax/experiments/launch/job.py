"""Single runs of an experiment: their commands, folder and state."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emojax.checkpoints import read_manifest
from emojax.config import completed
from emojax.experiments.launch.runner import MARK, holding
from emojax.files import replacing
from emojax.manifests import differences

NOTE = "job.json"


@dataclasses.dataclass(frozen=True)
class Job:
    """Single run: commands that are executed one after the other and leave results.

    Attributes:
      name: name of the job, and path of its folder below the folder of all runs.
      folder: folder that it writes into.
      commands: arguments of Python, run in the folder of the scripts.
      results: folder → setting of its results; the setting is empty where no table of this
        experiment shows them.
      config: all settings that identify the run, as JSON types.
      corpora: names of the corpora that it learns from.
      after: jobs that must finish first; a network starts from the first of them.
      is_network: True where it leaves checkpoints with a manifest.
      base: the manifest's entry of the model it starts from, where that is no job's.
      partitions: partitions of ``corpora`` or of their domains, as in the manifest; empty until
        the corpora are prepared.
    """

    name: str
    folder: Path
    commands: Sequence[Sequence[str]]
    results: Mapping[Path, str]
    config: Mapping
    corpora: Sequence[str] = ()
    after: Sequence[Job] = ()
    is_network: bool = False
    base: Mapping = dataclasses.field(default_factory=dict)
    partitions: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)

    def begin(self) -> bool:
        """Make the folder, and note the job's settings there if no manifest will have them.

        Returns:
          True if the job is to run here: no other process runs it or has finished it meanwhile.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with holding(self.folder) as lock:
            free = lock is not None and not self.is_finished()
            if free:
                self._note()
        return free

    def is_held(self) -> bool:
        """Return True while another process runs the job."""
        with holding(self.folder) as lock:
            return lock is None

    def _note(self) -> None:
        (self.folder / MARK).unlink(missing_ok=True)  # its results may be lost
        # An SVM leaves no manifest, and its results do not identify its training data.
        if not self.is_network:
            with replacing(self.folder / NOTE) as draft:
                note = {"config": self.config, "partitions": self.partitions}
                draft.write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")

    def is_finished(self) -> bool:
        """Return True if all results are there."""
        return (self.folder / MARK).exists() and all(
            (folder / "results.json").is_file() for folder in self.results
        )

    def check_folder(self) -> None:
        """Raise a ValueError where the folder holds a run with other settings or on other data."""
        begun = self._begun()
        if begun is not None and "partitions" in begun:
            self._compare(begun, self.folder)
        elif begun is not None or (self.folder / MARK).exists():
            raise ValueError(
                f"{self.folder} does not say what data it learnt from: it was begun by an older "
                "emojax, or its checkpoints are gone; give another --out, or read what is finished "
                "there with --workdirs=NAME=FOLDER"
            )

    def _begun(self) -> Mapping | None:
        """Return the manifest of the run in the folder; None where no run has started."""
        if self.is_network:
            steps = (self.folder / "checkpoints").glob("*")
            return (
                read_manifest(self.folder) if any(step.name.isdecimal() for step in steps) else None
            )
        note = self.folder / NOTE
        return json.loads(note.read_text("utf-8")) if note.is_file() else None

    def _compare(self, saved: Mapping, folder: Path, prefix: str = "") -> None:
        """Raise a ValueError where a saved run or its base differs from this job."""
        # The base may have moved.
        config = {key: value for key, value in saved["config"].items() if key != "base"}
        here, wanted = {"config": config}, {"config": self.config}
        if not self.after:
            here, wanted = here | {"base": saved.get("base", {})}, wanted | {"base": self.base}
        lines = differences(completed(here), completed(wanted), prefix)
        if lines:
            raise ValueError(
                f"{folder} has a run of other settings; "
                "give another --out, or those of that run:\n  " + "\n  ".join(lines)
            )
        digests = {name: one["digest"] for name, one in saved["partitions"].items()}
        changed = [
            name for name, one in self.partitions.items() if digests.get(name) != one["digest"]
        ]
        if changed:
            raise ValueError(
                f"{folder} has a run on other data: {', '.join(changed)} changed since then "
                "(recordings, labels, or who is in which part); "
                "give another --out, or the corpus as it was"
            )
        if self.after and "base" in saved:
            self.after[0]._compare(saved["base"], folder, f"{prefix}base.")


def scored(jobs: Iterable[Job]) -> dict[str, list[Path]]:
    """Collect the folders of results of the finished jobs, by setting."""
    settings: dict[str, list[Path]] = {}
    for job in jobs:
        for folder, setting in job.results.items():
            found = settings.setdefault(setting, [])  # keeps the plan's order
            if job.is_finished():
                found.append(folder)
    return {setting: folders for setting, folders in settings.items() if setting and folders}
