import numpy as np
import pytest

from emojax.corpora.partitions import Partition
from emojax.corpora.spec import Clip
from emojax.data.partitioned_corpus import PartitionedCorpus
from emojax.experiments.cross_corpus.matrix import Matrix, matrix_table
from emojax.experiments.cross_corpus.scoring import score_matrix
from emojax.experiments.cross_corpus.systems import System


def test_finished_scores_are_not_computed_again(
    opened, extracted, tmp_path, monkeypatch, run, label_words
):
    first = run({"tones": opened["tones"]}, tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "scores").iterdir()}
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
        words=label_words.replace("low=sadness", "low=fear").replace(
            "middle=happiness", "middle=rest"
        ),
    )
    assert extracted


def test_a_half_written_score_is_computed_again(opened, extracted, tmp_path, run):
    before = run(opened, tmp_path).pieces[0]
    for path in (tmp_path / "scores").iterdir():
        path.write_text(path.read_text()[:40])
    assert run(opened, tmp_path).pieces[0] == before


def corpus(rows, test, learnt=()):
    """Of (speaker, label, digest); indices of the test and of the train part."""
    clips = [
        Clip(f"{i}.wav", label, who, "", 1.0, "", digest)
        for i, (who, label, digest) in enumerate(rows)
    ]
    parts = {
        "train": np.array(learnt, int),
        "devel": np.array([], int),
        "test": np.array(test, int),
    }
    return PartitionedCorpus(("low", "high"), clips, Partition("demo", parts), [])


@pytest.fixture
def sharing():
    """Speaker a/1 is b/9: they share recording x, which is in neither test part."""
    return {
        "a": corpus([("a/1", "low", "x"), ("a/1", "high", "p"), ("a/2", "low", "q")], [2], [0, 1]),
        "b": corpus(
            [("b/9", "low", "x"), ("b/9", "high", "r"), ("b/8", "low", "s"), ("b/8", "high", "t")],
            [1, 2, 3],
        ),
    }


def test_nobody_is_tested_by_whom_a_system_learnt_also_across_corpora(sharing, tmp_path):
    asked = {}

    def predict(clips):
        asked.update(clips)
        yield from ((name, np.zeros(len(indices), int), 0.5) for name, indices in clips.items())

    learnt = tuple(sharing["a"].clips[:2])
    a, b = score_matrix([System("net", ("a",), learnt, {}, predict)], sharing, tmp_path, "")
    assert {name: indices.tolist() for name, indices in asked.items()} == {"b": [2, 3]}
    assert (b.left_out, b.within, b.result["n"], b.uar) == (1, False, 2, 50.0)
    assert (a.within, a.result, a.uar) == (True, None, None)  # a single level cannot be told apart
    notes = matrix_table(Matrix("arousal", "net", [a, b]), sharing).notes
    assert any("net on b: 1 test clips are left out" in note for note in notes)
