"""Labels and numbers of one run lie beside each other, and neither is read as the other."""

import json

import numpy as np
import pytest

from emojax.evaluation.metrics import score
from emojax.evaluation.number_files import numbers_of, read_numbers
from emojax.evaluation.number_scores import score_numbers
from emojax.evaluation.score_files import Prediction, read_predictions
from emojax.evaluation.scores import devel_score, score_tables, write_scores

LABELS = score("mood", "p", ["a", "b"], [0, 1, 1], [0, 1, 0], ["s"] * 3)
ROWS = [Prediction("mood", "x.wav", "s", "a", "a", {"a": 0.75, "b": 0.25})]
NUMBERS = score_numbers(
    "level$", "p", ["x", "y"], np.arange(6.0).reshape(3, 2), np.ones((3, 2)), ["s"] * 3
)


def test_both_are_written_and_read_again(tmp_path):
    rows = numbers_of(NUMBERS, ["1.wav", "2.wav", "3.wav"], ["s"] * 3)
    results = write_scores([(LABELS, ROWS), (NUMBERS, rows)], tmp_path, {"step": 3})
    assert results == [LABELS, NUMBERS]
    assert read_numbers(tmp_path / "numbers.csv") == rows
    assert read_predictions(tmp_path / "predictions.csv") == ROWS
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["mean_uar"] == pytest.approx(LABELS.uar)
    assert (list(content["corpora"]), list(content["numbers"])) == (["mood"], ["level$"])
    assert content["numbers"]["level$"]["mean_ccc"] == pytest.approx(NUMBERS.mean_ccc)
    assert all((tmp_path / name).stat().st_size for name in ("confusion.png", "scatter.png"))
    assert [devel_score(one) for one in results] == [LABELS.uar, NUMBERS.mean_ccc]
    text = score_tables(results)
    assert "mean UAR" in text
    assert "level$†  mean" in text


def test_a_column_of_a_stranger_cannot_steer_the_terminal():
    columns = ["\x1b[2J"]
    hostile = score_numbers("level", "p", columns, np.arange(3.0)[:, None], np.ones((3, 1)), "sss")
    assert "\\x1b[2J" in score_tables([hostile])


def test_numbers_alone_have_a_table_and_are_said_to_be_no_predictions(tmp_path):
    assert score_tables([NUMBERS]).startswith("numbers")
    write_scores([(NUMBERS, numbers_of(NUMBERS, "123", "sss"))], tmp_path, {})
    assert json.loads((tmp_path / "results.json").read_text())["mean_uar"] is None
    with pytest.raises(ValueError, match="there are numbers only, which cannot be compared"):
        read_predictions(tmp_path / "predictions.csv")


@pytest.mark.parametrize(
    "content",
    ["", "corpus,file\nx,y\n", "corpus,file,speaker,column,truth,prediction\na,b,c,d,e,1\n"],
)
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "numbers.csv").write_text(content)
    with pytest.raises(ValueError, match=r"is no numbers\.csv"):
        read_numbers(tmp_path / "numbers.csv")
