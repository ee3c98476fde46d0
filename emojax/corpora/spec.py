"""What a corpus is, and what preparing one leaves behind (no audio and no network in this room)."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

# A corpus's name becomes a folder of the checkpoint and of the data, so it may never climb out of
# one.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# Names that stand beside the corpora's in checkpoints and metrics.
_RESERVED = ("shared", "mean", "best")


@dataclasses.dataclass(frozen=True)
class Download:
    """One address that a corpus, or a part of it, may be fetched from without asking.

    Attributes:
      address: an https address that needs no account.
      bytes: how much is fetched, with all that a list names; nothing where it is not published.
      checksum: ``ALGORITHM:HEX``, as published by whoever publishes the file; empty where nobody
        does.
      inside: the folder of the archive that holds the corpus; of a list, what the names in it begin
        with.
      lists: empty for an archive; else the format of a list of files: ``tfds`` or ``dataverse``.
    """

    address: str
    bytes: int | None = None
    checksum: str = ""
    inside: str = ""
    lists: str = ""


@dataclasses.dataclass(frozen=True)
class CorpusSpec:
    """A corpus as its publisher describes it; what is not known stays empty.

    Attributes:
      name: letters, digits, ``-`` and ``_``.
      labels: the label set, in the order of the logits; empty only where a catalogue does not know
        it.
      full_name: as its publisher calls it.
      language: English name of the language, or of the languages.
      style: e.g. ``"acted"``; free text.
      licence: as published; free text.
      source: where to get it; free text.
      citation: one line.
      counts: label → published number of clips.
      counts_per_speaker: label → published number of clips of each speaker, where all have equally
        many.
      speakers: published number of speakers.
      parts: part (``train``, ``devel``, ``test``) → speakers of the published partition.
      folds: speakers of each published test fold.
      partition: what is known of the published partition and of EmoNet's; free text.
      layout: a file name as its publisher gives it; empty where that is not public.
      verified: whether the parser of the layout was ever run on the corpus itself.
      downloads: where its files may be fetched; empty where its licence or its publisher does not
        let us.
      table_1: the corpus's row in Table 1 of the EmoNet paper: clips, labels, speakers, mean_s,
        hours.
      notes: what a person should know before trusting a score.

    Raises:
      ValueError: for a name that could leave its folder, a single label, or a label twice.

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
                f"corpus {self.name}: labels {list(self.labels)}; needs at least two, each of them once"
            )

    def to_json(self) -> dict:
        """The spec as plain JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: Mapping) -> CorpusSpec:
        """The spec that :meth:`to_json` wrote, now or before fields were added; lists become tuples again."""
        return cls(
            **{
                **content,
                "labels": tuple(content["labels"]),
                "parts": {
                    part: tuple(speakers) for part, speakers in content.get("parts", {}).items()
                },
                "folds": tuple(tuple(fold) for fold in content.get("folds", ())),
                "downloads": tuple(
                    Download(**download) for download in content.get("downloads", ())
                ),
            }
        )


def check_name(name: str) -> str:
    """The name itself, or a ValueError that says what a corpus may be called.

    >>> check_name("../etc")
    Traceback (most recent call last):
    ...
    ValueError: corpus name '../etc': use letters, digits, '-' and '_', and begin with a letter or
      digit
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"corpus name {name!r}: use letters, digits, '-' and '_', and begin with a letter or digit"
        )
    if name in _RESERVED:
        raise ValueError(
            f"corpus name {name!r} is taken; choose any other than {', '.join(_RESERVED)}"
        )
    return name


@dataclasses.dataclass(frozen=True)
class Clip:
    """One prepared recording: a row of ``clips.csv``, in the order of the array_record.

    ``speaker`` is empty where nobody knows it; ``split`` is the part a publisher or a CSV gives
    (``train``, ``devel``, ``test``) or empty; ``digest`` is the hash of the recording as published.
    """

    file: str
    label: str
    speaker: str
    language: str
    duration_s: float
    split: str
    digest: str


def write_clips(path: Path, clips: Iterable[Clip]) -> None:
    """Write ``clips.csv``: a header, then a row per clip."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in dataclasses.fields(Clip)])
        writer.writeheader()
        writer.writerows(dataclasses.asdict(clip) for clip in clips)


def read_clips(path: Path) -> list[Clip]:
    """Read what :func:`write_clips` wrote."""
    with open(path, newline="", encoding="utf-8") as file:
        return [
            Clip(
                row["file"],
                row["label"],
                row["speaker"],
                row["language"],
                float(row["duration_s"]),
                row["split"],
                row["digest"],
            )
            for row in csv.DictReader(file)
        ]
