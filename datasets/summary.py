"""Summary of a prepared corpus, compared with the numbers of its publisher."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import tensorflow_datasets as tfds

from datasets.base import read_skipped
from datasets.confounds import single_labels
from emojax.corpora.listing import extent, speaker_count
from emojax.corpora.spec import Clip, CorpusSpec, read_clips
from emojax.files import printable

_SKIPPED_SHOWN = 10


def headline(folder: Path) -> str:
    """Return one line: name, clips, speakers, hours and number of skipped files."""
    clips = read_clips(folder / "clips.csv")
    skipped = read_skipped(folder / "skipped.csv")
    return f"{_spec(folder).name}: {extent(clips)}, {len(skipped)} files left out, in {folder}"


def summary(folder: Path) -> str:
    """Return the headline, the counts beside the published ones, and the skipped files."""
    spec, clips = _spec(folder), read_clips(folder / "clips.csv")
    skipped = read_skipped(folder / "skipped.csv")
    lines = [headline(folder), *_table(spec, clips), *_table_1(spec, clips), *_uneven(spec, clips)]
    if spec.labels:
        lines += [f"  {line}" for line in single_labels(clips)]
    lines += [
        printable(f"  left out: {item.file}: {item.reason}") for item in skipped[:_SKIPPED_SHOWN]
    ]
    if skipped[_SKIPPED_SHOWN:]:
        lines.append(f"  left out: {len(skipped) - _SKIPPED_SHOWN} more, all in skipped.csv")
    return "\n".join(lines + [f"  note: {spec.notes}"] * bool(spec.notes))


def _table(spec: CorpusSpec, clips: list[Clip]) -> list[str]:
    """Return a line per label and one for the speakers, with differences from published numbers."""
    found = Counter(clip.label for clip in clips)
    rows = [(label, found[label], spec.counts.get(label)) for label in spec.labels]
    rows.append(("speakers", speaker_count(clips), spec.speakers))
    width = max(len(name) for name, _, _ in rows)
    lines = [f"  {'':{width}}  found  published"]
    for name, number, published in rows:
        expected = "" if published is None else str(published)
        lines.append(
            f"  {name:{width}}  {number:5}  {expected:>9}  "
            f"{_difference(number, published)}".rstrip()
        )
    return lines


def _table_1(spec: CorpusSpec, clips: list[Clip]) -> list[str]:
    """Return the row of the corpus in Table 1 of the EmoNet paper, with differences."""
    found = {
        "clips": len(clips),
        "labels": len({clip.label for clip in clips}),
        "speakers": speaker_count(clips),
        "hours": round(sum(clip.duration_s for clip in clips) / 3600, 2),
    }
    cells = [
        f"{published:g} {name} ({_difference(found[name], published) or 'the same'} here)"
        for name, published in spec.table_1.items()
        if name in found
    ]
    return [f"  EmoNet's Table 1: {', '.join(cells)}"] * bool(cells)


def _uneven(spec: CorpusSpec, clips: list[Clip]) -> list[str]:
    """Return a line for each speaker and label whose number of clips was published otherwise."""
    found = Counter((clip.speaker, clip.label) for clip in clips)
    return [
        f"  speaker {speaker}, {label}: {_difference(found[speaker, label], published)}"
        for speaker in sorted({clip.speaker for clip in clips})
        for label, published in spec.counts_per_speaker.items()
        if found[speaker, label] != published
    ]


def _difference(found: float, published: float | None) -> str:
    """Return the difference in words.

    >>> _difference(189, 192), _difference(0.41, 0.38)
    ('3 missing', '0.03 too many')
    """
    if published is None or found == published:
        return ""
    return f"{abs(published - found):.6g} {'missing' if found < published else 'too many'}"


def read_metadata(folder: Path) -> dict:
    """Read the metadata of a prepared corpus; unlike tfds, import no module that it names."""
    metadata = tfds.core.MetadataDict()
    metadata.load_metadata(folder)
    return metadata


def _spec(folder: Path) -> CorpusSpec:
    return CorpusSpec.from_json(read_metadata(folder)["spec"])
