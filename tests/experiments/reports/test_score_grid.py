import pytest

from emojax.experiments.reports.score_grid import read_grid
from emojax.experiments.table4 import transfer_report


def test_the_first_seed_that_both_have_is_tested(seeded, rows_of):
    seeded["scratch"] = seeded["scratch"][1:]
    a, b = read_grid(seeded).paired("shared", "x")
    assert (a.seed, b.seed) == (1, 1)
    one = {
        name: some[:1] for name, some in seeded.items()
    }  # another seed may have tested other clips
    assert read_grid(one).paired("shared", "x") is None
    assert read_grid(one).stochastic_order("shared") == {}
    assert {row["mid-p"] for row in rows_of(transfer_report(one).pieces[2])} == {""}


def test_differences_are_between_runs_of_one_seed(seeded):
    seeded["scratch"] = seeded["scratch"][1:]
    seeded["shared"] = seeded["shared"][:2]
    grid = read_grid(seeded)
    # Seed 1 alone has both: 39 and 22 of 40.
    assert grid.difference("shared", "x", "test") == pytest.approx(42.5)
    assert (
        read_grid({name: some[:1] for name, some in seeded.items()}).difference(
            "shared", "x", "test"
        )
        is None
    )


def test_a_corpus_in_no_run_is_an_error_with_the_choices(workdirs):
    with pytest.raises(ValueError, match="'nope' is in no run; choose of x, y, z"):
        transfer_report(workdirs, ["nope"])


def test_runs_of_different_clips_cannot_be_compared(workdirs):
    path = workdirs["shared"][0] / "predictions.csv"
    path.write_text(path.read_text().replace("x,0.wav", "x,other.wav"))
    with pytest.raises(ValueError, match="corpus x"):
        transfer_report(workdirs)
