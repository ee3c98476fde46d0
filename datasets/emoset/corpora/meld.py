"""MELD: English, dialogues of a television series."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files, read_rows, read_text
from emojax.corpora.catalogue import CATALOGUE

_FOLDERS = {
    "train_splits": "train_sent_emo.csv",
    "dev_splits_complete": "dev_sent_emo.csv",
    "output_repeated_splits_test": "test_sent_emo.csv",
}
_COLUMNS = ("Dialogue_ID", "Utterance_ID", "Emotion", "Speaker")

SPEC = CATALOGUE["meld"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per part; dialogue, utterance. CSVs give emotion and speaker."""
    rows = {
        f"{folder}/dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}": row
        for folder, file in _FOLDERS.items()
        for row in read_rows(read_text(root, file), _COLUMNS, root / file)
    }
    labels = {name: row["Emotion"] for name, row in rows.items() if row["Emotion"] in SPEC.labels}
    pattern = rf"(?P<label>(?:{'|'.join(_FOLDERS)})/dia\d+_utt\d+)"
    for source in match_files(root, SPEC.layout, pattern, labels):
        if isinstance(source, Source):
            source = dataclasses.replace(
                source, speaker=rows[source.file.rsplit(".", 1)[0]]["Speaker"]
            )
        yield source
