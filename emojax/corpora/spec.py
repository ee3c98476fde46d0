"""Specs of corpora, and the clips of prepared ones; no audio and no network."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

MOST_LABELS = 1000
# The name of a corpus becomes a folder, so it must not contain a path.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# Names that checkpoints and metrics use beside those of corpora.
_RESERVED = ("shared", "mean", "best")


@dataclasses.dataclass(frozen=True)
class Download:
    """One address from which a corpus, or a part of it, can be downloaded without an account.

    Attributes:
      address: https address.
      bytes: size of the download, with all files of a list; None if it is not published.
      checksum: published checksum, ``ALGORITHM:HEX``; empty if there is none.
      inside: folder of the archive that contains the corpus; for a list, prefix of the names of its
        files.
      lists: empty for an archive; else the format of a list of files: ``tfds`` or ``dataverse``.
    """

    address: str
    bytes: int | None = None
    checksum: str = ""
    inside: str = ""
    lists: str = ""


@dataclasses.dataclass(frozen=True)
class CorpusSpec:
    """Description of a corpus by its publisher; unknown fields stay empty.

    Attributes:
      name: letters, digits, ``-`` and ``_``.
      labels: the label set, in the order of the logits; empty if it is unknown, or if the corpus
        has only further columns.
      full_name: name given by its publisher.
      language: English name of the language, or of the languages.
      style: e.g. ``"acted"``; free text.
      licence: licence as published; free text.
      source: place to get the corpus; free text.
      citation: one line.
      counts: label → published number of clips.
      counts_per_speaker: label → published number of clips of each speaker, if it is the same for
        all.
      speakers: published number of speakers.
      parts: part (``train``, ``devel``, ``test``) → speakers of the published partition.
      folds: speakers of each published test fold.
      sexes: sex → speakers, as published; speakers of unknown sex are left out.
      partition: notes on the published partition and on EmoNet's; free text.
      layout: example of a file name in the publisher's layout; empty if the layout is not public.
      verified: whether the parser of the layout was run on the corpus itself.
      downloads: addresses of its files; empty if its licence or publisher does not allow it.
      table_1: row of the corpus in Table 1 of the EmoNet paper: clips, labels, speakers, mean_s,
        hours.
      notes: facts that a reader of scores should know.

    Raises:
      ValueError: a name that is not allowed, a single label, or a label that occurs twice.

    >>> CorpusSpec("emodb", ("anger", "neutral"), language="German").labels
    ('anger', 'neutral')
    """

    name: str
    labels: tuple[str, ...]
    full_name: str = ""
    language: str = ""
    style: str = ""
    licence: str = ""
    source: str = ""
    citation: str = ""
    counts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    counts_per_speaker: Mapping[str, int] = dataclasses.field(default_factory=dict)
    speakers: int | None = None
    parts: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    folds: tuple[tuple[str, ...], ...] = ()
    sexes: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    partition: str = ""
    layout: str = ""
    verified: bool = False
    downloads: tuple[Download, ...] = ()
    table_1: Mapping[str, float] = dataclasses.field(default_factory=dict)
    notes: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(set(self.labels)) != len(self.labels) or len(self.labels) == 1:
            raise ValueError(
                f"corpus {self.name}: labels {list(self.labels)}; "
                "needs at least two, each of them once"
            )

    def to_json(self) -> dict:
        """Return the spec as plain JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: Mapping) -> CorpusSpec:
        """Return the spec that :meth:`to_json` wrote; fields added since then may be missing."""
        return cls(
            **{
                **content,
                "labels": tuple(content["labels"]),
                "parts": {
                    part: tuple(speakers) for part, speakers in content.get("parts", {}).items()
                },
                "sexes": {
                    sex: tuple(speakers) for sex, speakers in content.get("sexes", {}).items()
                },
                "folds": tuple(tuple(fold) for fold in content.get("folds", ())),
                "downloads": tuple(
                    Download(**download) for download in content.get("downloads", ())
                ),
            }
        )


def check_name(name: str) -> str:
    """Return the name, or raise a ValueError if a corpus must not have it.

    >>> check_name("../etc")
    Traceback (most recent call last):
    ...
    ValueError: corpus name '../etc': use letters, digits, '-' and '_', and begin with a letter or
      digit
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"corpus name {name!r}: use letters, digits, '-' and '_', "
            "and begin with a letter or digit"
        )
    if name in _RESERVED:
        raise ValueError(
            f"corpus name {name!r} is taken; choose any other than {', '.join(_RESERVED)}"
        )
    return name


@dataclasses.dataclass(frozen=True)
class Clip:
    """One prepared recording: a row of ``clips.csv``, in the order of the array_record.

    ``speaker`` is empty if unknown. ``split`` is the part that a publisher or a CSV gives
    (``train``, ``devel``, ``test``) or empty. ``digest`` is the hash of the prepared samples.
    """

    file: str
    label: str
    speaker: str
    language: str
    duration_s: float
    split: str
    digest: str


def write_clips(path: Path, clips: Iterable[Clip]) -> None:
    """Write ``clips.csv``: a header, then one row per clip."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in dataclasses.fields(Clip)])
        writer.writeheader()
        writer.writerows(dataclasses.asdict(clip) for clip in clips)


def read_clips(path: Path) -> list[Clip]:
    """Read the file that :func:`write_clips` wrote.

    Raises:
      ValueError: the file has another form.
    """
    names = [field.name for field in dataclasses.fields(Clip)]
    with open(path, newline="", encoding="utf-8") as file:
        try:
            rows: list[dict[str, Any]] = [
                {name: row[name] for name in names} for row in csv.DictReader(file)
            ]
            return [Clip(**row | {"duration_s": float(row["duration_s"])}) for row in rows]
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise ValueError(
                f"{path} is not the table of a prepared corpus ({error!r}); prepare it again"
            ) from None
