"""Finished runs that were never trained, and a model that never heard of levels."""

import csv
import io
import json

import pytest

from emojax.data.feeds import DeviceFeed
from emojax.data.partitioned import PATHS_FILE, open_corpora
from emojax.data.prepared import open_corpus
from emojax.evaluation.metrics import score
from emojax.evaluation.score_files import Prediction, write_predictions, write_results
from emojax.training.checkpointing import CheckpointKeeper
from emojax.training.run import make_layout, make_manifest, make_run
from emojax.training.schedule import EvalDecision

LABELS = ["a", "b"]
# Common words of the labels of the tiny corpora.
WORDS = "high=anger,middle=happiness,low=sadness,levels/loud=anger,levels/soft=sadness"


@pytest.fixture
def finished():
    """A function that writes a scored run into a folder."""
    return write_finished


def write_finished(folder, right, devel=0.5, protocol="test on two", seed=3, speakers=("",)):
    """A scored run: corpus → how many of 40 clips of each label are right."""
    spoken = [speakers[i % len(speakers)] for i in range(80)]
    folder.mkdir(parents=True, exist_ok=True)
    predictions, results = [], []
    for corpus, hits in right.items():
        truth = [label for label in (0, 1) for _ in range(40)]
        predicted = [label if i % 40 < hits else 1 - label for i, label in enumerate(truth)]
        results.append(score(corpus, protocol, LABELS, truth, predicted, spoken))
        predictions += [
            Prediction(corpus, f"{i}.wav", spoken[i], LABELS[t], LABELS[p], {})
            for i, (t, p) in enumerate(zip(truth, predicted, strict=True))
        ]
    write_predictions(predictions, folder / "predictions.csv")
    run = {
        "part": "test",
        "command": "python <evaluate>",
        "utterance": "whole",
        "step": 10,
        "config": {"seed": seed},
    }
    write_results(
        results, folder, {**run, "devel_uar": {**dict.fromkeys(right, devel), "mean": devel}}
    )
    return folder


@pytest.fixture
def workdirs(tmp_path, finished):
    return {
        "scratch": [
            finished(tmp_path / "scratch_x", {"x": 20}),
            finished(tmp_path / "scratch_y", {"y": 30}),
        ],
        "shared": [finished(tmp_path / "shared", {"y": 29, "x": 36, "z": 10}, devel=0.75)],
    }


@pytest.fixture
def seeded(tmp_path, finished):
    """Three seeds of each setting on x: clearly apart, and the second of shared is the best."""
    hits = {"scratch": (20, 22, 24), "shared": (33, 39, 36)}
    return {
        setting: [
            finished(tmp_path / f"{setting}_{seed}", {"x": n}, seed=seed)
            for seed, n in enumerate(some)
        ]
        for setting, some in hits.items()
    }


@pytest.fixture
def rewrite():
    """A function that changes what a run says of itself."""

    def change(folder, **changes):
        path = folder / "results.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


@pytest.fixture
def rows_of():
    """A function that reads a table as a program would."""
    return lambda table: list(csv.DictReader(io.StringIO(table.csv())))


@pytest.fixture(scope="session")
def untrained():
    """A function that leaves what train.py does, without the training."""
    return write_untrained


def write_untrained(config, paths, folder, **settings):
    """A run as train.py leaves it, without the training."""
    config = config.replace(**settings)
    corpora = open_corpora(paths, **vars(config.data))
    manifest = make_manifest(config, corpora)
    train_part = {name: one.load("train") for name, one in corpora.items()}
    layout = make_layout(config, len(corpora))
    state = make_run(config, manifest, train_part, DeviceFeed.batch, layout).state
    keeper = CheckpointKeeper(folder, manifest)
    keeper.keep(state, {}, EvalDecision(list(corpora), []), dict.fromkeys(corpora, 0.5))
    keeper.close()
    (folder / PATHS_FILE).write_text(json.dumps({name: str(path) for name, path in paths.items()}))
    return folder


@pytest.fixture(scope="session")
def words():
    return WORDS


@pytest.fixture
def opened(tiny_paths):
    return {name: open_corpus(path) for name, path in tiny_paths.items()}


@pytest.fixture(scope="session")
def of_tones(tiny_config, tiny_paths, tmp_path_factory, untrained):
    """A run on every clip of tones, with the head of common emotions."""
    folder = tmp_path_factory.mktemp("of_tones")
    own = {"domains": "corpora+emotion", "partition": "all"}
    own["label_words"] = ",".join(item for item in WORDS.split(",") if "/" not in item)
    return untrained(tiny_config, {"tones": tiny_paths["tones"]}, folder, **own)
