"""Checks of manifests, the descriptions of trained networks; they may come from strangers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emojax.corpora.spec import MOST_LABELS, check_name
from emojax.data.units import Units
from emojax.files import printable

CHECKPOINTS = "checkpoints"  # the folder in a run's folder that has them
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


def differences(saved: Mapping, wanted: Mapping, prefix: str = "") -> list[str]:
    """List the differences between two manifests, one line each, for the wanted keys.

    >>> differences({"config": {"width": 16}}, {"config": {"width": 32}})
    ['config.width: the checkpoint has 16, this run has 32']
    """
    lines: list[str] = []
    for key, value in wanted.items():
        if isinstance(value, Mapping) and isinstance(saved.get(key), Mapping):
            lines += differences(saved[key], value, f"{prefix}{key}.")
            lines += [
                f"{prefix}{key}.{extra}: only in the checkpoint"
                for extra in saved[key]
                if extra not in value
            ]
        elif saved.get(key) != value:
            lines.append(
                f"{prefix}{key}: the checkpoint has {saved.get(key, 'nothing')}, "
                f"this run has {value}"
            )
    return [printable(line) for line in lines]  # a manifest may come from elsewhere


def check_same(saved: Mapping, wanted: Mapping, workdir: str | os.PathLike) -> None:
    """Raise a ValueError that lists all differences, if there are any."""
    lines = differences(saved, wanted)
    if lines:
        raise ValueError(
            f"the checkpoint in {workdir} is of another network:\n  "
            + "\n  ".join(lines)
            + "\nuse another --workdir, or the settings of the checkpoint"
        )


def _strange_entries(manifest: Mapping) -> Iterator[str]:
    """Yield each error of a manifest in words."""
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
    if not wrong:
        yield from _strange_numbers(manifest)


def _strange_numbers(manifest: Mapping) -> Iterator[str]:
    """Yield each error in the units of domains with numbers."""
    numbers = manifest.get("numbers", {})
    if not isinstance(numbers, dict):
        yield f"numbers is {type(numbers).__name__}, not dict"
        return
    for name, units in numbers.items():
        labels = manifest["corpora"].get(name)
        try:
            if not isinstance(labels, list):
                raise ValueError("no such corpus")
            Units.from_json(units, len(labels))
        except ValueError as error:
            yield f"numbers of {name!r}: {error}"


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
