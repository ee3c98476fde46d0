import json

import numpy as np
import pytest

from emojax.evaluation.number_files import PredictedNumber, read_numbers, write_numbers
from emojax.evaluation.number_scores import score_numbers
from emojax.experiments.numbers import numbers_report

COLUMNS = "arousal", "valence"


def write_fold(folder, fold, answer, part="test", seed=0):
    """Two speakers' clips of three folds, as evaluate.py writes them."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(fold)
    truth = {
        (speaker, clip): random.normal(size=2)
        for speaker in range(2 * fold, 2 * fold + 2)
        for clip in range(5)
    }
    rows = [
        PredictedNumber("calls", f"{who}_{clip}.wav", str(who), column, own, answer(own))
        for (who, clip), both in truth.items()
        for column, own in zip(COLUMNS, both, strict=True)
    ]
    write_numbers(rows, folder / "numbers.csv")
    protocol = f"speaker-independent: fold {fold + 1} of 3"
    run = {"part": part, "config": {"seed": seed}, "numbers": {"calls": {"protocol": protocol}}}
    (folder / "results.json").write_text(json.dumps(run))
    return rows


def test_the_clips_of_all_folds_are_scored_as_one(tmp_path):
    answers = {"right": lambda own: own, "half": lambda own: own / 2}
    workdirs, rows = {}, {}
    for name, answer in answers.items():
        workdirs[name] = [tmp_path / name / str(fold) for fold in range(3)]
        rows[name] = [
            row for fold, one in enumerate(workdirs[name]) for row in write_fold(one, fold, answer)
        ]
    report = numbers_report(workdirs)
    (table,) = report.pieces
    shown = {row[1]: row for row in table.shown()}
    assert [*shown] == ["arousal", "valence", "mean"]
    assert shown["mean"][:3] == ("calls", "mean", "30")
    assert shown["arousal"][3].startswith("1.000 [1.000, 1.000]")
    truth, predicted = (
        np.array([getattr(row, what) for row in rows["half"]]).reshape(-1, 2)
        for what in ("truth", "prediction")
    )
    speakers = [row.speaker for row in rows["half"]][::2]
    expected = score_numbers("calls", "", COLUMNS, truth, predicted, speakers)
    low, high = expected.mean_ccc_ci95
    assert expected.ci_over == "speakers"
    assert shown["mean"][4] == f"{expected.mean_ccc:.3f} [{low:.3f}, {high:.3f}]"
    assert "fold 2 of 3" in report.protocol


def test_what_cannot_be_compared_is_refused(tmp_path):
    folds = [tmp_path / str(fold) for fold in range(3)]
    for fold, folder in enumerate(folds):
        write_fold(folder, fold, lambda own: own)
    with pytest.raises(ValueError, match=r"one: calls, 0_0\.wav is tested by .* another run"):
        numbers_report({"one": [*folds, folds[0]]})
    with pytest.raises(ValueError, match="other tested 40 numbers of calls, and one 60"):
        numbers_report({"one": folds, "other": folds[:2]})
    write_fold(tmp_path / "devel", 0, lambda own: own, part="devel")
    with pytest.raises(ValueError, match="it is of the devel part"):
        numbers_report({"one": [tmp_path / "devel"]})
    with pytest.raises(ValueError, match=r"no scores of numbers there .* baseline\.py --columns"):
        numbers_report({"one": [tmp_path]})


def test_files_that_do_not_fit_each_other_are_refused(tmp_path):
    for name in ("one", "other", "short", "strange"):
        write_fold(tmp_path / name, 0, lambda own: own)
    rows = read_numbers(tmp_path / "other" / "numbers.csv")
    other = [row._replace(truth=row.truth + 1) for row in rows]
    write_numbers(other, tmp_path / "other" / "numbers.csv")
    with pytest.raises(ValueError, match=r"true numbers of calls, such as arousal of 0_0\.wav"):
        numbers_report({"one": [tmp_path / "one"], "other": [tmp_path / "other"]})
    write_numbers(rows[:-1], tmp_path / "short" / "numbers.csv")
    with pytest.raises(ValueError, match="calls: not every clip has all of arousal, valence"):
        numbers_report({"one": [tmp_path / "short"]})
    strange = [row._replace(corpus="others") for row in rows]
    write_numbers(strange, tmp_path / "strange" / "numbers.csv")
    with pytest.raises(ValueError, match=r"others is in numbers\.csv but not in results\.json"):
        numbers_report({"one": [tmp_path / "strange"]})


def test_a_score_of_few_speakers_is_marked(tmp_path):
    write_fold(tmp_path / "0", 0, lambda own: own)
    (table,) = numbers_report({"one": [tmp_path / "0"]}).pieces
    assert table.shown()[0][0] == "calls†"
    assert any("fewer than five speakers" in note for note in table.notes)
