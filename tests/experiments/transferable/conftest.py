"""A request for three corpora that lie nowhere, and words for labels of the tiny ones."""

from pathlib import Path

import pytest

from emojax.experiments.launch.spec import Spec


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[3])
    return Spec(
        {"c": "c", "a": "a", "b": "b=some/labels.csv"},
        {},
        tmp_path / "out",
        [0],
        "corpora",
        "data",
        "configs/cnn_lstm.py",
        "configs/scratch.py",
        "configs/adapt.py",
    )


@pytest.fixture(scope="session")
def words():
    return "high=anger,middle=happiness,low=sadness,levels/loud=anger,levels/soft=sadness"
