import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("statsmodels", reason='needs statsmodels: pip install "emojax[statistics]"')

from sklearn.metrics import balanced_accuracy_score

from emojax.evaluation.comparison import Comparison, compare, comparison_table
from emojax.evaluation.metrics import uar_difference
from emojax.evaluation.score_files import Prediction, read_predictions, write_predictions

ROOT = Path(__file__).parents[2]
LABELS = np.array(["anger", "calm", "joy"])


def predictions(right, seed, corpora=("one", "two"), n=300):
    """Rows of which about ``right`` are right; truth and speakers do not depend on the seed."""
    rng = np.random.default_rng(seed)
    for corpus in corpora:
        for i in range(n):
            truth = i % 7 % 3
            answer = truth if rng.random() < right else rng.integers(3)
            yield Prediction(corpus, f"{i}.wav", f"s{i % 10}", LABELS[truth], LABELS[answer], {})


@pytest.fixture
def workdirs(tmp_path):
    for name, right, seed in (("a", 0.8, 0), ("b", 0.5, 1)):
        (tmp_path / name).mkdir()
        write_predictions(predictions(right, seed), tmp_path / name / "predictions.csv")
    return tmp_path / "a", tmp_path / "b"


def compare_two(a, b):
    return compare({"first": [a], "second": [b]})


def test_figures_are_those_of_the_predictions(workdirs):
    comparisons = compare_two(*workdirs)
    for one in comparisons:
        uar = []
        for workdir in workdirs:
            rows = [
                row
                for row in read_predictions(workdir / "predictions.csv")
                if row.corpus == one.corpus
            ]
            uar.append(
                balanced_accuracy_score([r.label for r in rows], [r.prediction for r in rows])
            )
        assert (one.uar_a, one.uar_b) == pytest.approx(uar)
        assert one.difference == pytest.approx(uar[0] - uar[1])
        assert 0 < one.ci95[0] < one.difference < one.ci95[1]
        assert (one.n, one.ci_over) == (300, "speakers")
    smaller, larger = sorted(one.mid_p for one in comparisons)
    assert sorted(one.holm_p for one in comparisons) == pytest.approx(
        [2 * smaller, max(2 * smaller, larger)]
    )


def test_a_run_does_not_differ_from_itself(workdirs):
    for one in compare_two(workdirs[0], workdirs[0]):
        assert (one.difference, one.ci95, one.mid_p, one.holm_p) == (0, (0, 0), 1, 1)


def test_a_corpus_of_a_stranger_cannot_steer_the_terminal(workdirs):
    hostile = dataclasses.replace(compare_two(*workdirs)[0], corpus="\x1b[2J")
    assert "\x1b" not in comparison_table([hostile])


def test_a_speaker_dependent_protocol_is_named(workdirs):
    assert "speaker-dependent" not in comparison_table(compare_two(*workdirs))
    noted = {"corpora": {"one": {"protocol": "speaker-dependent: random fold 1 of 5"}}}
    (workdirs[0] / "results.json").write_text(json.dumps(noted))
    (_, one, two, *_) = comparison_table(compare_two(*workdirs)).splitlines()
    assert one.startswith("one (speaker-dependent)  ")
    assert two.startswith("two  ")
    (workdirs[0] / "results.json").write_text("[]")
    with pytest.raises(ValueError, match=r"is no results\.json of evaluate"):
        compare_two(*workdirs)


def test_p_values_are_those_of_fagerland_lydersen_and_laake(tmp_path):
    """BMC Medical Research Methodology 13:91 (2013), tables 1, 5: Bentur et al. (1, 1, 7, 12)."""
    right = {"a": [1] * 2 + [0] * 19, "b": [1, 0] + [1] * 7 + [0] * 12}
    for name, some in right.items():
        (tmp_path / name).mkdir()
        rows = [
            Prediction("one", f"{i}.wav", "", LABELS[i % 2], LABELS[i % 2 if hit else 2], {})
            for i, hit in enumerate(some)
        ]
        write_predictions(rows, tmp_path / name / "predictions.csv")
    (one,) = compare_two(tmp_path / "a", tmp_path / "b")
    assert (one.exact_p, one.mid_p, one.holm_p) == pytest.approx((0.070, 0.039, 0.039), abs=0.0005)
    assert comparison_table([one]).splitlines()[1].endswith("  0.0703  0.0391  0.0391")


def test_fewer_than_five_speakers_are_marked_and_explained(workdirs):
    one, two = compare_two(*workdirs)
    few = comparison_table([dataclasses.replace(one, speakers=4), two]).splitlines()
    assert few[1].startswith("one† ")
    assert few[-1] == "† fewer than five speakers: says little about others."
    assert (one.speakers, "†" in comparison_table([one, two])) == (10, False)


def test_the_interval_is_paired():
    """Systems that are wrong on the same clips differ by little, however few clips there are."""
    rng = np.random.default_rng(0)
    truth = np.arange(120) % 3
    a = np.where(rng.random(120) < 0.6, truth, (truth + 1) % 3)
    b = a.copy()
    b[:3] = (truth[:3] + 1) % 3
    _, (low, high), over = uar_difference(truth, a, b, [""] * 120)
    assert high - low < 0.06
    assert over == "clips"


def test_the_interval_covers_the_true_difference_about_95_times_in_100():
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = np.arange(150) % 3
        a, b = (np.where(rng.random(150) < right, truth, (truth + 1) % 3) for right in (0.7, 0.6))
        _, (low, high), _ = uar_difference(truth, a, b, [""] * 150, seed)
        covered += low <= 0.1 <= high
    assert 52 <= covered <= 60


def test_only_corpora_that_both_have_are_compared(workdirs):
    write_predictions(predictions(0.5, 1, ("two", "three")), workdirs[1] / "predictions.csv")
    assert [one.corpus for one in compare_two(*workdirs)] == ["two"]
    write_predictions(predictions(0.5, 1, ("three",)), workdirs[1] / "predictions.csv")
    with pytest.raises(ValueError, match=r"no corpus is in both: .* has one, two, .* has three"):
        compare_two(*workdirs)


def test_other_clips_are_refused(workdirs):
    write_predictions(predictions(0.5, 1, n=301), workdirs[1] / "predictions.csv")
    with pytest.raises(ValueError, match=r"300 clips and .* 301; 1 of them .* such as 300\.wav"):
        compare_two(*workdirs)


def test_another_truth_is_refused(workdirs):
    path = workdirs[1] / "predictions.csv"
    path.write_text(path.read_text().replace("one,0.wav,s0,anger", "one,0.wav,s0,joy"))
    with pytest.raises(ValueError, match=r"corpus one: .* such as 0\.wav"):
        compare_two(*workdirs)


@pytest.mark.parametrize(
    "content", ["file,label\na.wav,joy\n", "corpus,probabilities\nx,{\n", "\x00"]
)
def test_what_is_no_predictions_csv_is_refused(workdirs, content):
    path = workdirs[1] / "predictions.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"b/predictions\.csv is no predictions\.csv"):
        compare_two(*workdirs)


def test_the_script_prints_the_table_or_one_clear_error(workdirs):
    def run(*folders):
        command = [sys.executable, "compare.py", f"--workdirs={','.join(map(str, folders))}"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    done = run(*workdirs)
    assert done.returncode == 0, done.stderr
    assert done.stdout == comparison_table(compare_two(*workdirs)) + "\n"
    missing = run(workdirs[0], "no-such-run")
    assert missing.returncode != 0
    assert "no-such-run" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_a_clip_that_is_there_twice_is_refused(workdirs):
    path = workdirs[0] / "predictions.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, lines[-1]]))
    with pytest.raises(ValueError, match="is there twice"):
        compare_two(*workdirs)


def test_a_difference_that_rounds_to_nothing_has_no_minus():
    tiny = Comparison("demo", 90, 0.7, 0.7, -1e-5, (-1e-5, 0.1), "clips", 1.0, 1.0, 1.0, 9)
    assert "+0.0  [+0.0, +10.0]" in comparison_table([tiny])
