"""Checks of a manifest, the description of a trained network; it may come from a stranger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emojax.corpora.spec import check_name
from emojax.files import printable

MOST_LABELS = 1000
# Entries of every manifest; some have more.
_ENTRIES: dict[str, tuple[type, ...]] = {
    "emojax": (str,),
    "front_end": (dict,),
    "corpora": (dict,),
    "partitions": (dict,),
    "config": (dict,),
    "schedules": (dict,),
    "devel_uar": (dict,),
    "step": (int,),
    "best_step": (int, type(None)),
}
# Entries of the manifest of a base, and of the base's base.
_BASE_ENTRIES: dict[str, tuple[type, ...]] = {"partitions": (dict,), "config": (dict,)}


def check_manifest(manifest: Any, wanted_format: int, path: Path) -> dict:
    """Return a manifest whose entries have their types.

    Args:
      manifest: anything that JSON can hold.
      wanted_format: the format that can be read.
      path: place of the manifest, for the message.

    Raises:
      ValueError: it has another format, or an entry is missing or has a wrong type.
    """
    written = manifest.get("format") if isinstance(manifest, dict) else None
    if written != wanted_format or isinstance(written, bool):
        raise ValueError(
            f"{path}: format {written!r}, this emojax reads {wanted_format}; "
            "use the emojax version that wrote it, or train again"
        )
    strange = list(_strange_entries(manifest))
    if strange:
        said = printable("; ".join(strange))
        raise ValueError(f"{path}: the manifest is not one of emojax: {said}; copy it anew")
    return manifest


def _strange_entries(manifest: Mapping) -> Iterator[str]:
    """Yield what is missing or has a wrong type."""
    wrong = [*_wrong_types(manifest, _ENTRIES), *_strange_base(manifest)]
    if not wrong and not manifest["corpora"]:
        wrong = ["it has no corpus"]
    yield from wrong
    for name, labels in {} if wrong else manifest["corpora"].items():
        try:
            check_name(name)
        except ValueError as error:
            yield str(error)
        if not (isinstance(labels, list) and all(isinstance(label, str) for label in labels)):
            yield f"the labels of {name!r} are no list of texts"
        elif not 0 < len(set(labels)) == len(labels) <= MOST_LABELS:
            yield f"{name!r} has {len(labels)} labels, {len(set(labels))} of them different"


def _strange_base(manifest: Mapping) -> list[str]:
    wrong: list[str] = []
    while not wrong and "base" in manifest:
        manifest = manifest["base"]
        if not isinstance(manifest, dict):
            return [f"base is {type(manifest).__name__}, not dict"]
        wrong = [f"base: {line}" for line in _wrong_types(manifest, _BASE_ENTRIES)]
    return wrong


def _wrong_types(manifest: Mapping, entries: Mapping[str, tuple[type, ...]]) -> list[str]:
    return [
        f"{key} is {type(manifest.get(key)).__name__}, "
        f"not {' or '.join(kind.__name__ for kind in kinds)}"
        for key, kinds in entries.items()
        if not isinstance(manifest.get(key), kinds)
    ]
