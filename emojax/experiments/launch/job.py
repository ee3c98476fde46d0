"""Single runs of an experiment: the commands, the folder, and whether it is finished."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emojax.checkpoints import differences
from emojax.experiments.launch.runner import MARK
from emojax.files import replacing


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run: commands that leave results, one after the other.

    Attributes:
      name: also its folder's, below the folder of all runs.
      folder: what it writes into.
      commands: arguments of Python, to be run where the scripts are.
      results: folder → setting that its results count for, empty where no table of this experiment has them.
      order: all settings that make it this run, as JSON types.
      after: names of the cells that it begins at.
      data: corpus that it, or one that it begins at, learns from → digest of its data, empty until known.
    """

    name: str
    folder: Path
    commands: Sequence[Sequence[str]]
    results: Mapping[Path, str]
    order: Mapping
    after: Sequence[str] = ()
    data: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def is_finished(self) -> bool:
        """Whether it need not be run.

        Raises:
          ValueError: the folder holds a run with other settings, or on other data.
        """
        path = self.folder / "cell.json"
        if path.is_file():
            self._refuse_another(json.loads(path.read_text("utf-8")))
        return (self.folder / MARK).exists() and all(
            (folder / "results.json").is_file() for folder in self.results
        )

    def _refuse_another(self, begun: Mapping) -> None:
        """Refuse the folder of a run that was begun as another one."""
        if "data" not in begun:
            raise ValueError(
                f"{self.folder} was begun by an older emojax, which did not note what data it learnt from; "
                "give another --out, or read what is finished there with --workdirs=NAME=FOLDER"
            )
        lines = differences(begun, self.order)
        if lines:
            raise ValueError(
                f"{self.folder} has a run of other settings; give another --out, or those of that run:\n  "
                + "\n  ".join(lines)
            )
        changed = [name for name, digest in self.data.items() if digest and begun["data"].get(name) != digest]
        if changed:
            raise ValueError(
                f"{self.folder} has a run on other data: {', '.join(changed)} changed since then "
                "(recordings, labels, or who is in which part); give another --out, or the corpus as it was"
            )

    def begin(self) -> None:
        """Make its folder and say in it what it is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / MARK).unlink(missing_ok=True)  # it may have lost its results
        with replacing(self.folder / "cell.json") as draft:
            draft.write_text(json.dumps({**self.order, "data": self.data}, indent=1) + "\n", encoding="utf-8")


def scored(cells: Iterable[Cell]) -> dict[str, list[Path]]:
    """Setting → folders of its results, of the cells that are finished."""
    settings: dict[str, list[Path]] = {}
    for cell in cells:
        for folder, setting in cell.results.items():
            found = settings.setdefault(setting, [])  # in the plan's order, whatever has failed
            if cell.is_finished():
                found.append(folder)
    return {setting: folders for setting, folders in settings.items() if setting and folders}
