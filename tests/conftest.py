"""Fixtures that more than one room needs."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpora_dir() -> Path:
    """The folder of restored real corpora, or a skip that says how to get them tested."""
    path = os.environ.get("EMOJAX_CORPORA")
    if not path:
        pytest.skip("needs real corpora: set EMOJAX_CORPORA to a folder that holds emodb/, emovo/, ...")
    return Path(path)
