"""Small folders of tones that stand for corpora."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emojax.audio.reading import SAMPLE_RATE_HZ


@pytest.fixture
def write_tones():
    """Write a tone of its own pitch to each of some files below a folder, and return the folder."""

    def write(root: Path, *files: str, duration_s: float = 0.2) -> Path:
        seconds = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        for number, file in enumerate(files):
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(
                root / file, 0.5 * np.sin(2 * np.pi * (200 + 10 * number) * seconds), SAMPLE_RATE_HZ
            )
        return root

    return write


@pytest.fixture
def write_csv():
    """Write rows to a CSV, and return its path."""

    def write(path: Path, *rows: tuple, delimiter: str = ",", encoding: str = "utf-8") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", newline="", encoding=encoding) as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        return path

    return write
