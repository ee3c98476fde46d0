"""Export of a run as a published model: weights, model card and licence in one folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from emojax.corpora.aggregate import EMOTION
from emojax.export.card import NO_LICENSE, check_license, license_text, model_card
from emojax.export.pooled import Pooled, read_pooled
from emojax.export.unseen import Unseen, check_scores, read_json, read_unseen
from emojax.files import new_folder
from emojax.inference.calibration import CALIBRATION_FILE
from emojax.inference.network import LoadedRun, load_networks
from emojax.pretrained import find
from emojax.weights import write_model

RESULTS_FILE = "results.json"
# A name that the hub allows.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")


def export_hub(
    run: str,
    folder: str | Path,
    license: str = "",
    name: str = "",
    unseen: str = "",
    pooled: str = "",
) -> Path:
    """Write the best state of a run as a published model, whole or not at all.

    Args:
      run: folder of a trained run.
      folder: a new or empty folder.
      license: of the weights, as the hub names it: ``cc-by-nc-sa-4.0``; if empty that of the
        published model ``run``, or unknown.
      name: name of the model; that of the folder if empty.
      unseen: the pattern for :func:`emojax.export.unseen.read_unseen`. What networks of the same
        recipe said about corpora that they never saw is in the card, and its temperature calibrates
        the head of common emotions, which answers for such recordings.
      pooled: ``pooled.json`` of the experiment of pooled folds, for the card.

    Returns:
      The folder.

    Raises:
      ValueError: there is no trained run, the folder is not empty, or the license or the name
        cannot be used.
    """
    folder = Path(folder).expanduser().resolve()
    name = name or folder.name
    if not _NAME.fullmatch(name):
        raise ValueError(f"name {name!r}; give letters, digits, '.', '_' and '-': --name=NAME")
    loaded, place = load_networks(run), find(run)
    if numbers := loaded.manifest.get("numbers"):
        raise ValueError(
            f"{', '.join(numbers)} of {run} answer with numbers, which a published model does not; "
            "train a run without them"
        )
    license = license or loaded.manifest.get("license", NO_LICENSE)
    check_license(license)
    manifest = {**_published(loaded.manifest, place), "license": license}
    results = read_json(place / RESULTS_FILE)
    others = read_unseen(unseen) if unseen else Unseen()
    folds = read_pooled(Path(pooled).expanduser()) if pooled else Pooled()
    if others.scores and EMOTION in manifest.get("calibration", {}):
        manifest["calibration"][EMOTION]["temperature"] = others.temperature
    _check_results(results, manifest, place)
    with new_folder(folder) as draft:
        write_model(draft, manifest, _trees(loaded))
        card = model_card(name, license, manifest, results, place, others, folds)
        (draft / "README.md").write_text(card, encoding="utf-8")
        (draft / "LICENSE").write_text(license_text(name, license), encoding="utf-8")
        load_networks(draft)  # what cannot be read is not published
    return folder


def _published(manifest: Mapping, place: Path) -> dict:
    """Return a run's manifest without its base's path and its progress, with its calibration."""
    calibration = read_json(place / CALIBRATION_FILE)
    kept = {**manifest, "config": {**manifest["config"], "base": ""}, "schedules": {}}
    return {**kept, "calibration": calibration} if calibration else kept


def _trees(loaded: LoadedRun) -> dict:
    shared = next(iter(loaded.networks.values())).shared
    corpora = {
        name: {"params": network.corpus, "stats": network.stats}
        for name, network in loaded.networks.items()
    }
    return {"shared": {"params": shared}, **corpora}


def _check_results(results: Mapping, manifest: Mapping, place: Path) -> None:
    """Raise a ValueError for scores of another state, or without the entries that are shown."""
    if not results:
        return
    path, mend = place / RESULTS_FILE, f"score the run again: python evaluate.py --workdir={place}"
    if results.get("step") != manifest["best_step"]:
        raise ValueError(f"{path} is not of the best state; {mend}")
    check_scores(results, path, mend)
