import csv
import io
import json

import numpy as np
import pytest
import sklearn

import emojax
from emojax.corpora.partitions import Partition
from emojax.corpora.spec import Clip
from emojax.data.feeds import DeviceFeed
from emojax.data.partitioned import PATHS_FILE, PartitionedCorpus, open_corpora
from emojax.data.prepared import open_corpus
from emojax.evaluation.evaluator import evaluate
from emojax.experiments.cross_corpus.report import report as module
from emojax.experiments.cross_corpus.report import systems as systems_module
from emojax.experiments.cross_corpus.scoring import fill
from emojax.experiments.cross_corpus.systems import System, open_run
from emojax.experiments.reports.report import write_report
from emojax.training.checkpointing import CheckpointKeeper
from emojax.training.run import make_layout, make_manifest, make_run
from emojax.training.schedule import EvalDecision

WORDS = "high=anger,middle=happiness,low=sadness,loud=fear,soft=neutral"
HIGH = {"high", "middle", "loud"}


@pytest.fixture
def opened(tiny_paths):
    return {name: open_corpus(path) for name, path in tiny_paths.items()}


@pytest.fixture
def extracted(monkeypatch):
    """Features that give arousal away, but upside down in one corpus; and the calls for them."""
    calls = []

    def features(corpus, feature_set, cache_dir):
        calls.append(corpus.spec.name)
        sign = 1 if corpus.spec.name == "tones" else -1
        return np.array([[sign * (1 if clip.label in HIGH else -1)] * 2 for clip in corpus.clips], np.float32)

    monkeypatch.setattr(module, "functionals", features)
    monkeypatch.setattr(module, "opensmile_version", lambda: "0")
    monkeypatch.setattr(systems_module, "opensmile_version", lambda: "0")
    return calls


def run(opened, tmp_path, aggregated="arousal", words=WORDS, features=("egemaps",), **workdirs):
    return module.cross_corpus(
        opened, aggregated, words, features, workdirs, tmp_path / "features", tmp_path / "cells"
    )


def rows_of(table):
    return list(csv.DictReader(io.StringIO(table.csv())))


def test_rows_are_trained_on_and_columns_tested_on(opened, extracted, tmp_path):
    table, picture, details = run(opened, tmp_path).pieces
    assert table.shown() == [
        ("chance", "50.0", "50.0", ""),
        ("tones", "100.0*", "0.0", "0.0"),
        ("levels", "0.0", "100.0*", "0.0"),
        ("mean elsewhere", "0.0", "0.0", "0.0"),
    ]
    frames = picture.figure.axes[0].patches
    assert [frame.get_xy() for frame in frames] == [(i - 0.47, i - 0.47) for i in (0, 1)]
    within = [(row["trained on"], row["tested on"]) for row in rows_of(details) if row["within"] == "yes"]
    assert within == [("tones", "tones"), ("levels", "levels")]
    own = open_corpora({"tones": opened["tones"].path}, "default", 0, "arousal", WORDS)["arousal"]
    assert int(rows_of(details)[0]["test clips"]) == len(own.partition.parts["test"])


def test_every_dimension_has_a_matrix_and_the_page_its_facts(opened, extracted, tmp_path):
    files = {
        path.name: path for path in write_report(run(opened, tmp_path, "a+v"), tmp_path / "out", "<cmd>")
    }
    names = ("cross_corpus_arousal_egemaps", "cross_corpus_valence_egemaps")
    assert set(files) == {f"{name}.{end}" for name in names for end in ("csv", "tex", "png")} | {
        "cross_corpus_details.csv",
        "cross_corpus_details.tex",
        "cross_corpus.html",
    }
    page = files["cross_corpus.html"].read_text("utf-8")
    assert "levels equally frequent in each part" in page
    assert "&lt;cmd&gt;" in page
    assert f"scikit-learn {sklearn.__version__}" in page
    assert "levels has nothing that is positive" in page


def test_finished_cells_are_not_computed_again(opened, extracted, tmp_path, monkeypatch):
    first = run({"tones": opened["tones"]}, tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").iterdir()}
    assert len(kept) == 1
    both = run(opened, tmp_path).pieces[0]
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())
    assert both.shown()[1][1] == first.pieces[0].shown()[1][1]
    extracted.clear()
    assert run(opened, tmp_path).pieces[0] == both
    assert not extracted
    run(
        opened,
        tmp_path,
        words=WORDS.replace("low=sadness", "low=fear").replace("middle=happiness", "middle=rest"),
    )
    assert extracted


def test_a_half_written_cell_is_computed_again(opened, extracted, tmp_path):
    before = run(opened, tmp_path).pieces[0]
    for path in (tmp_path / "cells").iterdir():
        path.write_text(path.read_text()[:40])
    assert run(opened, tmp_path).pieces[0] == before


def corpus(rows, test, learnt=()):
    """Of (speaker, label, digest); indices of the test and of the train part."""
    clips = [Clip(f"{i}.wav", label, who, "", 1.0, "", digest) for i, (who, label, digest) in enumerate(rows)]
    parts = {"train": np.array(learnt, int), "devel": np.array([], int), "test": np.array(test, int)}
    return PartitionedCorpus(("low", "high"), clips, Partition("demo", parts), [])


@pytest.fixture
def sharing():
    """Speaker a/1 is b/9: they share recording x, which is in neither test part."""
    return {
        "a": corpus([("a/1", "low", "x"), ("a/1", "high", "p"), ("a/2", "low", "q")], [2], [0, 1]),
        "b": corpus(
            [("b/9", "low", "x"), ("b/9", "high", "r"), ("b/8", "low", "s"), ("b/8", "high", "t")], [1, 2, 3]
        ),
    }


def test_nobody_is_tested_by_whom_a_system_learnt_also_across_corpora(sharing, tmp_path):
    asked = {}

    def answers(questions):
        asked.update(questions)
        yield from ((name, np.zeros(len(indices), int), 0.5) for name, indices in questions.items())

    learnt = tuple(sharing["a"].clips[:2])
    a, b = fill([System("net", ("a",), learnt, {}, answers)], sharing, tmp_path, "")
    assert {name: indices.tolist() for name, indices in asked.items()} == {"b": [2, 3]}
    assert (b.left_out, b.within, b.result["n"], b.uar) == (1, False, 2, 50.0)
    assert (a.within, a.result, a.uar) == (True, None, None)  # a single level cannot be told apart
    notes = module.matrix_table(module.Matrix("arousal", "net", [a, b]), sharing).notes
    assert any("net on b: 1 test clips are left out" in note for note in notes)


def untrained(config, paths, folder, **settings):
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


@pytest.fixture(scope="module")
def workdir(tiny_config, tiny_paths, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tones_run")
    paths = {"tones": tiny_paths["tones"]}
    return untrained(tiny_config, paths, folder, aggregate="arousal", label_words=WORDS)


def test_a_run_is_tested_by_its_head_and_once(opened, workdir, tmp_path, monkeypatch):
    first = run(opened, tmp_path, "a+v", features=(), alone=[workdir])
    table = first.pieces[0]
    assert [row[0] for row in table.shown()] == ["chance", "tones", "mean elsewhere"]
    (own,) = evaluate(workdir)
    assert table.rows[1][1].value == pytest.approx(100 * own.uar)
    assert [piece.name for piece in first.pieces] == [
        *["cross_corpus_arousal_alone"] * 2,
        "cross_corpus_details",
        "runs",
    ]
    (ran,) = rows_of(first.pieces[-1])
    assert (ran["width"], ran["rounds a phase"], ran["emojax"]) == ("4", "4", emojax.__version__)
    monkeypatch.setattr(systems_module, "predict_clips", None)
    assert run(opened, tmp_path, features=(), alone=[workdir]).pieces[0] == table


def test_what_a_base_run_learnt_from_counts(tiny_config, opened, tiny_paths, workdir, tmp_path):
    manifest = module.open_run(workdir).manifest
    folder = tmp_path / "base"
    folder.mkdir()
    untrained(tiny_config, {"levels": tiny_paths["levels"]}, folder)
    later = {**manifest, "config": {**manifest["config"], "base": str(folder)}}
    learnt = list(systems_module._learnt(workdir, later))
    for corpus in ("tones", "levels"):
        own = [clip for clip in learnt if clip.file.startswith(f"{corpus}/")]
        assert 0 < len(own) < len(opened[corpus].clips)
        assert all(clip.speaker.startswith(f"{corpus}/") for clip in own)
    with pytest.raises(ValueError, match=r"their own labels; only a run with --config\.aggregate"):
        open_run(folder)


def test_runs_that_do_not_go_together_are_refused(tiny_config, opened, tiny_paths, workdir, tmp_path):
    with pytest.raises(ValueError, match="are both trained on tones; name them apart"):
        run(opened, tmp_path, features=(), alone=[workdir, workdir])
    other = tmp_path / "other"
    other.mkdir()
    settings = {"aggregate": "arousal", "label_words": WORDS, "seed": 1}
    untrained(tiny_config, {"levels": tiny_paths["levels"]}, other, **settings)
    with pytest.raises(ValueError, match=r"divided their corpora differently .*seed 1"):
        run(opened, tmp_path, features=(), alone=[workdir, other])
    with pytest.raises(ValueError, match="can be tested on valence"):
        run(opened, tmp_path, "valence", features=(), alone=[workdir])


@pytest.mark.parametrize(
    ("changed", "now"),
    [
        ({"middle=happiness": "middle=rest"}, "is low"),
        ({"middle=happiness": "middle=rest", "high=anger": "tones/high=rest,high=anger"}, "is left out"),
    ],
)
def test_a_run_that_learnt_other_levels_is_refused(opened, workdir, tmp_path, changed, now):
    words = WORDS
    for old, new in changed.items():
        words = words.replace(old, new)
    with pytest.raises(ValueError, match=f"arousal of tones/.* is high; .*{now}.*give the same words"):
        run(opened, tmp_path, words=words, features=(), alone=[workdir])
    assert not list(tmp_path.iterdir())


def test_other_words_for_other_corpora_are_no_other_levels(opened, workdir, tmp_path):
    words = f"levels/low=fear,levels/high=rest,{WORDS}"
    assert run(opened, tmp_path, words=words, features=(), alone=[workdir]).pieces


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"features": ()}, "nothing to test; give --features=egemaps, --workdirs="),
        ({"features": ("mfcc",)}, "mfcc.; choose one of egemaps, compare"),
        ({"words": "high=anger"}, "tones: low, middle.*--label_words .experiments., as in 'loud=neutral,"),
        ({"words": "high=rage"}, "label_words: 'high=rage'"),
        ({"egemaps": []}, "runs named 'egemaps'"),
        ({"../x": []}, "runs named '../x', which is to be part of a file's name"),
    ],
)
def test_bad_input_is_one_clear_error(settings, message, opened, extracted, tmp_path):
    with pytest.raises(ValueError, match=message):
        run(opened, tmp_path, **settings)
    assert not extracted
    assert not list(tmp_path.iterdir())
