"""Small corpora and odd recordings: each is trained on, or refused by its name."""

import csv

import numpy as np
import pytest
import soundfile

import datasets
from emojax.evaluation.evaluator import evaluate
from emojax.training.loop import train

RATE_HZ = 16_000
SPEAKERS = "abcdef"


def tone(seed, label):
    seconds = np.arange(RATE_HZ // 2) / RATE_HZ
    noise = np.random.default_rng(seed).normal(0, 0.01, len(seconds))
    return 0.3 * np.sin(2 * np.pi * (200 + 40 * label) * seconds) + noise


def rows(speakers=SPEAKERS, labels=2, takes=2):
    return [
        (speaker, f"l{label}", take)
        for speaker in speakers
        for label in range(labels)
        for take in range(takes)
    ]


def write(folder, some, samples_of=tone, split=None, name="odd"):
    """A corpus of so many clips; gives the item that names it."""
    folder.mkdir()
    with open(folder / "labels.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "label", "speaker", *(["split"] if split else [])])
        for number, (speaker, label, take) in enumerate(some):
            file_name = f"{speaker}_{label}_{take}.wav"
            samples = samples_of(number, int(label[1:]))
            soundfile.write(folder / file_name, samples, RATE_HZ, subtype="FLOAT")
            table.writerow([file_name, label, speaker, *([split(speaker, label)] if split else [])])
    return f"{name}={folder / 'labels.csv'}"


def with_offset(seed, label):
    return tone(seed, label) * 0.3 + 0.5


def clipped(seed, label):
    return np.clip(5 * tone(seed, label), -1, 1)


def alike(seed, label):
    return tone(0, 0)


def silent_once(seed, label):
    return tone(seed, label) if seed else np.zeros(RATE_HZ // 2)


def part_of(speaker, label):
    return {"e": "devel", "f": "test"}.get(speaker, "train")


def without_training_clips(speaker, label):
    return "test" if label == "l1" else part_of(speaker, label)


ODD = {
    "few": (rows(takes=1), tone),
    "labels64": (rows(labels=64, takes=1), tone),
    "offset": (rows(), with_offset),
    "clipped": (rows(), clipped),
    "silent": (rows(), silent_once),
}


def test_odd_corpora_are_trained_on(tiny_config, tmp_path):
    """Fewer clips than a batch, 64 labels, an offset, clipping, a silent clip: all in one run."""
    items = [write(tmp_path / name, *how, name=name) for name, how in ODD.items()]
    settings = {"rounds_per_phase": 1, "eval_every_rounds": 1, "learning_rates": (0.01,)}
    config = tiny_config.replace(
        corpora=",".join(items), data_dir=str(tmp_path / "data"), batch_size=16, **settings
    )
    train(config, tmp_path / "run", datasets.prepare(**vars(config.paths)))
    results = evaluate(tmp_path / "run")
    assert [result.corpus for result in results] == list(ODD)
    assert all(np.isfinite(result.uar) and result.n for result in results)


@pytest.mark.parametrize(
    ("some", "samples_of", "split", "message"),
    [
        pytest.param(rows("ab", takes=1)[::3], tone, None, "odd: ", id="two clips"),
        pytest.param(rows("a"), tone, None, "odd: ", id="one speaker"),
        pytest.param(rows(), alike, None, "odd: ", id="all clips identical"),
        pytest.param(rows(), tone, without_training_clips, "odd: .*l1", id="a label without train"),
    ],
)
def test_is_refused_by_name(tiny_config, tmp_path, some, samples_of, split, message):
    item = write(tmp_path / "odd", some, samples_of, split)
    config = tiny_config.replace(corpora=item, data_dir=str(tmp_path / "data"))
    paths = datasets.prepare(**vars(config.paths))
    with pytest.raises(ValueError, match=message) as error:
        train(config, tmp_path / "run", paths)
    assert "\n" not in str(error.value)
