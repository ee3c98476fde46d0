"""MELD: English, dialogues of a television series."""

import csv
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files, read_text
from emojax.corpora.catalogue import CATALOGUE

_FOLDERS = {
    "train_splits": "train_sent_emo.csv",
    "dev_splits_complete": "dev_sent_emo.csv",
    "output_repeated_splits_test": "test_sent_emo.csv",
}

SPEC = CATALOGUE["meld"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per part; dialogue, utterance. CSVs give emotion and speaker."""
    rows = {
        f"{folder}/dia{row.get('Dialogue_ID')}_utt{row.get('Utterance_ID')}": row
        for folder, file in _FOLDERS.items()
        for row in csv.DictReader(io.StringIO(read_text(root, file), newline=""))
    }
    labels = {
        name: row["Emotion"] for name, row in rows.items() if row.get("Emotion") in SPEC.labels
    }
    pattern = rf"(?P<label>(?:{'|'.join(_FOLDERS)})/dia\d+_utt\d+)"
    for source in match_files(root, SPEC.layout, pattern, labels):
        if isinstance(source, Source):
            source = dataclasses.replace(
                source, speaker=rows[source.file.rsplit(".", 1)[0]]["Speaker"]
            )
        yield source
