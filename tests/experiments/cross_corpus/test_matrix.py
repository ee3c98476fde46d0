import dataclasses

import pytest

from emojax.data.partitioned import open_corpora
from emojax.experiments.cross_corpus.matrix import Matrix, matrix_picture, matrix_table
from emojax.experiments.cross_corpus.scoring import Score


def test_rows_are_trained_on_and_columns_tested_on(
    opened, extracted, tmp_path, run, rows_of, label_words
):
    table, picture, details = run(opened, tmp_path).pieces
    assert table.shown() == [
        ("chance", "50.0", "50.0", ""),
        ("tones", "100.0*†", "0.0†", "0.0"),
        ("levels", "0.0†", "100.0*†", "0.0"),
        ("mean elsewhere", "0.0", "0.0", "0.0"),
    ]
    frames = picture.figure.axes[0].patches
    assert [frame.get_xy() for frame in frames] == [(i - 0.47, i - 0.47) for i in (0, 1)]
    within = [
        (row["trained on"], row["tested on"]) for row in rows_of(details) if row["within"] == "yes"
    ]
    assert within == [("tones", "tones"), ("levels", "levels")]
    own = open_corpora({"tones": opened["tones"].path}, "default", 0, "arousal", label_words)[
        "arousal"
    ]
    assert int(rows_of(details)[0]["test clips"]) == len(own.partition.parts["test"])


def entry(row, column, uar):
    result = None if uar is None else {"uar": uar, "chance": 0.5}
    return Score(row, column, row == column, 0, result)


@pytest.fixture
def matrix():
    uars = {("a", "a"): 0.9, ("a", "b"): 0.6, ("b", "a"): None, ("b", "b"): 0.8}
    return Matrix("arousal", "egemaps", [entry(*place, uar) for place, uar in uars.items()])


def test_means_are_over_corpora_that_were_not_trained_on(matrix):
    table = matrix_table(matrix, {})
    assert table.shown() == [
        ("chance", "50.0", "50.0", ""),
        ("a", "90.0*", "60.0", "60.0"),
        ("b", "", "80.0*", ""),
        ("mean elsewhere", "", "60.0", "60.0"),
    ]
    assert "Mean within: 85.0." in table.notes


def test_the_picture_colours_what_lies_above_chance(matrix):
    ax = matrix_picture(matrix).figure.axes[0]
    colours = ax.images[0].get_array().filled(float("nan"))
    assert colours.ravel().tolist() == pytest.approx([40, 10, float("nan"), 30], nan_ok=True)


def test_few_speakers_are_marked_and_explained(matrix):
    few = [
        dataclasses.replace(score, result={**score.result, "speakers": 4 + (score.system == "b")})
        for score in matrix.scores
        if score.result
    ]
    marked = dataclasses.replace(matrix, scores=[few[0], few[1], matrix.scores[2], few[2]])
    table = matrix_table(marked, {})
    assert [row[1:3] for row in table.shown()[1:3]] == [("90.0*†", "60.0†"), ("", "80.0*")]
    assert table.notes[-1] == "† fewer than five speakers: says little about others."
    names = [text.get_text() for text in matrix_picture(marked).figure.axes[0].get_xticklabels()]
    assert names == ["a†", "b†"]
