"""From a plan to finished runs: prepare the corpora, run what is not finished, say what is missing."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from emojax.baselines.pipeline import check_speakers
from emojax.corpora.listing import prepared
from emojax.corpora.spec import read_clips
from emojax.data.partitioned import open_corpora
from emojax.experiments.launch.job import Cell, scored
from emojax.experiments.launch.scheduler import execute, make_engine
from emojax.experiments.launch.spec import Request

# Settings that decide which clip is in which part, and has which level.
_DIVISION = ("partition", "seed", "aggregate", "label_words")


def carry_out(
    cells: Sequence[Cell], request: Request, engine: str
) -> tuple[dict[str, list[Path]], dict[str, str]]:
    """Run the cells that are not finished.

    Args:
      cells: of a plan.
      request: what it was made of.
      engine: of :func:`emojax.experiments.launch.scheduler.make_engine`.

    Returns:
      setting → folders of its results; name of each cell that failed → why.

    Raises:
      ValueError: a folder holds a run of other settings or on other data, or the corpora cannot be
        prepared; nothing is run then.
    """
    ready = make_engine(engine, request.out / "runs" / "jobs")
    for cell in cells:
        cell.is_finished()  # other settings show before hours of preparing, other data only after it
    _prepare(request)
    cells = _with_data(cells, request)
    todo = [cell for cell in cells if not cell.is_finished()]
    print(f"{len(cells)} runs, {len(cells) - len(todo)} of them finished before", flush=True)
    failed = execute(todo, ready) if todo else {}
    return scored(cells), failed


def _with_data(cells: Sequence[Cell], request: Request) -> list[Cell]:
    """The cells, knowing what data they learn from.

    Refuses what cannot be divided or normalised, or labels without levels, before the first run and not
    hours later.
    """
    here = prepared(Path(request.data_dir).expanduser())
    paths = {name: here[name] for name in request.corpora}
    every_path = paths | {name: here[name] for name in request.bases}
    normalised = [cell for cell in cells if cell.order["config"].get("speaker_normalisation")]
    check_speakers({name: read_clips(here[name] / "clips.csv") for cell in normalised for name in cell.data})

    @functools.cache
    def digests(scheme: str, seed: int) -> dict[str, str]:
        opened = open_corpora(every_path, scheme, seed)
        return {name: corpus.identity()["digest"] for name, corpus in opened.items()}

    found = []
    for cell in cells:
        config = cell.order["config"]
        data = {name: digests(config["partition"], config["seed"])[name] for name in cell.data}
        found.append(dataclasses.replace(cell, data=data))
    # An SVM's knows of no levels.
    levels = [cell.order["config"] for cell in cells if cell.order["config"].get("aggregate")]
    for division in sorted({tuple(config[name] for name in _DIVISION) for config in levels}):
        open_corpora(paths, *division)
    return found


def _prepare(request: Request) -> None:
    """Before all runs, because several of them could not prepare one corpus at once."""
    if not Path("train.py").is_file():
        raise ValueError(
            "there is no train.py here; run this in the folder that holds it, a checkout of emojax"
        )
    items = ",".join((dict(request.corpora) | dict(request.bases)).values())
    places = f"--source_dir={request.source_dir}", f"--data_dir={request.data_dir}"
    # A room below never imports `datasets`.
    done = subprocess.run(
        [sys.executable, "-m", "datasets", items, *places], stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.rpartition("error: ")[2].strip()
        raise ValueError(said or f"python -m datasets {items} failed")
