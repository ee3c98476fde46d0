"""Listing of all known corpora: prepared ones, missing ones, and how to get them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import Clip, CorpusSpec, read_clips
from emojax.files import size_in_words

_WAYS = {
    True: "not prepared; get it, then: "
    "python -m datasets NAME --source_dir=DIR --data_dir={data_dir}",
    False: "not prepared, and there is no parser for its files here; get it, list it in a CSV "
    "(file,label,speaker), then: python -m datasets NAME=PATH --data_dir={data_dir}",
}
_COLUMNS = (
    "name",
    "corpus",
    "language; style",
    "labels",
    "Table 1",
    "file names",
    "licence",
    "where",
)


def prepared(data_dir: Path) -> dict[str, Path]:
    """Return name → folder of the prepared corpora below a folder of tfds, sorted by name.

    Raises:
      ValueError: two prepared corpora have the same name.
    """
    found: dict[str, Path] = {}
    for folder in prepared_folders(data_dir):
        other = found.setdefault(folder.parent.name, folder)
        if other != folder:
            raise ValueError(
                f"{other} and {folder} are both of {folder.parent.name}; remove one of them"
            )
    return found


def prepared_folders(data_dir: Path, name: str = "*") -> list[Path]:
    """Return the folders of prepared corpora below a folder, by name; names may repeat."""
    found = (file.parent for file in data_dir.glob(f"*/{name}/*/clips.csv"))
    return sorted(found, key=lambda folder: (folder.parent.name, folder))


def speaker_count(clips: Iterable[Clip]) -> int:
    """Return the number of known speakers."""
    return len({clip.speaker for clip in clips} - {""})


def extent(clips: Sequence[Clip]) -> str:
    """Return clips, speakers and hours of a corpus as text.

    >>> extent([Clip("a.wav", "anger", "03", "German", 1800.0, "", "")])
    '1 clips, 1 speakers, 0.50 h'
    """
    hours = sum(clip.duration_s for clip in clips) / 3600
    return f"{len(clips)} clips, {speaker_count(clips) or 'unknown'} speakers, {hours:.2f} h"


def download_size(spec: CorpusSpec) -> str:
    """Return the size of the download of a corpus as text, if it is published.

    >>> download_size(CATALOGUE["ravdess"])
    '208 MB'
    """
    known = [download.bytes for download in spec.downloads if download.bytes]
    if len(known) < len(spec.downloads):
        return "size not published"
    return size_in_words(sum(known))


def listing(data_dir: Path) -> str:
    """Return a text on prepared and missing corpora; ``*`` marks the corpora of EmoSet."""
    folders = prepared_folders(data_dir)
    here = Counter(folder.parent.name for folder in folders)
    lines = [f"prepared in {data_dir}: {len(folders)}", *map(_here, folders)]
    lines += [
        f"  two are of {name}: remove one of them" for name, times in here.items() if times > 1
    ]
    for has_layout, way in _WAYS.items():
        missing = [
            s for s in CATALOGUE.values() if s.name not in here and bool(s.layout) == has_layout
        ]
        lines += ["", f"{way.format(data_dir=data_dir)}: {len(missing)}", *map(_missing, missing)]
    notes = [
        "* belongs to EmoSet; details: datasets/emoset/README.md",
        "`--download`: that command fetches the corpus into DIR/NAME first, if it ends with "
        "--download",
    ]
    return "\n".join([*lines, "", *notes])


def _here(folder: Path) -> str:
    return (
        f"  {_marked(folder.parent.name):12} "
        f"{extent(read_clips(folder / 'clips.csv'))}, in {folder}"
    )


def _missing(spec: CorpusSpec) -> str:
    untried = "; the parser was never run on the corpus itself" * (
        bool(spec.layout) and not spec.verified
    )
    name = f"{spec.full_name} ({spec.language})"
    fetched = f"; `--download`: {download_size(spec)}" * bool(spec.downloads)
    return (
        f"  {_marked(spec.name):12} {name}: {spec.source}; "
        f"licence: {spec.licence}{fetched}{untried}"
    )


def _marked(name: str) -> str:
    return name + "*" * (name in CATALOGUE and bool(CATALOGUE[name].table_1))


def markdown(catalogue: Mapping[str, CorpusSpec] = CATALOGUE) -> str:
    """Return the catalogue as a Markdown table for a README."""
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *map(_row, catalogue.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(spec: CorpusSpec) -> tuple[str, ...]:
    table_1 = [
        f"{spec.table_1[key]:{form}}"
        for key, form in {"clips": "g", "speakers": "g", "hours": ".2f"}.items()
        if key in spec.table_1
    ]
    return (
        f"`{spec.name}`",
        f"{spec.full_name}. {spec.citation}",
        f"{spec.language}; {spec.style}",
        ", ".join(spec.labels) or "unknown",
        " · ".join(table_1),
        f"`{spec.layout}`" + " ✓" * spec.verified if spec.layout else "CSV",
        spec.licence,
        spec.source + f"; `--download`: {download_size(spec)}" * bool(spec.downloads),
    )
