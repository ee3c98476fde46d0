"""Small folders of tones that stand for corpora."""

import csv
from pathlib import Path

import layouts
import pytest


@pytest.fixture
def write_tones():
    """See :func:`layouts.write_tones`."""
    return layouts.write_tones


@pytest.fixture
def write_corpus():
    """See :func:`layouts.write_corpus`."""
    return layouts.write_corpus


@pytest.fixture
def write_csv():
    """Write rows to a CSV, and return its path."""

    def write(path: Path, *rows: tuple, delimiter: str = ",", encoding: str = "utf-8") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", newline="", encoding=encoding) as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        return path

    return write
