"""From a plan to finished runs: prepare the corpora, run what is not finished, say what is missing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from emojax.corpora.listing import prepared
from emojax.experiments.engine import execute, make_engine
from emojax.experiments.runs import Cell, Request, scored
from emojax.training.corpora import open_corpora

# Settings that decide which clip has which level.
_LEVELS = ("partition", "seed", "aggregate", "label_words")


def carry_out(
    cells: Sequence[Cell], request: Request, engine: str
) -> tuple[dict[str, list[Path]], dict[str, str]]:
    """Run the cells that are not finished.

    Args:
      cells: of a plan.
      request: what it was made of.
      engine: of :func:`emojax.experiments.engine.make_engine`.

    Returns:
      setting → folders of its results; name of each cell that failed → why.

    Raises:
      ValueError: a folder holds another run, or the corpora cannot be prepared; nothing is run then.
    """
    todo = [cell for cell in cells if not cell.is_finished()]
    print(f"{len(cells)} runs, {len(cells) - len(todo)} of them finished before", flush=True)
    if not todo:
        return scored(cells), {}
    ready = make_engine(engine, request.out / "runs" / "jobs")
    _prepare(request)
    _check_levels(todo, request)
    failed = execute(todo, ready)
    return scored(cells), failed


def _check_levels(cells: Sequence[Cell], request: Request) -> None:
    """Refuse labels without levels before the first run, and not hours later."""
    here = prepared(Path(request.data_dir).expanduser())
    paths = {name: here[name] for name in request.corpora}
    settings = [[cell.order["config"].get(name) for name in _LEVELS] for cell in cells]
    for partition, seed, aggregate, label_words in settings:
        if aggregate:
            open_corpora(paths, partition, seed, aggregate, label_words)


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
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise ValueError(lines[-1].removeprefix("error: ") if lines else f"python -m datasets {items} failed")
