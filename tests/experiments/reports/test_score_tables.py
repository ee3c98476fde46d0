import io
import json

import pytest
from matplotlib.image import imread

from emojax.experiments.table3 import baseline_report
from emojax.experiments.table4 import transfer_report


def test_seeds_become_mean_and_deviation(seeded, rows_of):
    report = transfer_report(seeded)
    assert report.pieces[0].shown()[0] == (
        "x",
        "50.0",
        *("50.0 ± 0.0", "55.0 ± 5.0"),
        *("50.0 ± 0.0", "90.0 ± 7.5+"),
    )
    row = rows_of(report.pieces[2])[1]
    assert (row["seeds"], float(row["deviation test"])) == ("3", pytest.approx(7.5))
    assert float(row["test above first"]) == pytest.approx(35)
    assert 0 <= float(row["ε_min"]) < 0.2
    assert len(report.pieces[3].rows) == 6
    assert report.seeds.startswith("0, 1, 2;")


def ranks_of(tmp_path, finished, hits):
    """The pictures of ranks of settings that have so many hits on each corpus."""
    pytest.importorskip("scikit_posthocs")
    counts = {name: dict(zip("vwxyz", some, strict=False)) for name, some in hits.items()}
    workdirs = {name: [finished(tmp_path / name, some)] for name, some in counts.items()}
    pieces = [*transfer_report(workdirs).pieces, *baseline_report(workdirs).pieces]
    return [piece for piece in pieces if piece.name == "ranks"]


def test_settings_are_ranked_over_five_corpora(tmp_path, finished):
    hits = {
        "alone": (10, 11, 12, 13, 14),
        "all": (30, 31, 32, 33, 34),
        "tuned": (29, 35, 36, 37, 38),
    }
    pictures = ranks_of(tmp_path, finished, hits)
    assert len(pictures) == 2  # of either report
    assert "over 5 corpora (1 is best); Friedman's test p = 0.0150" in pictures[0].caption
    assert imread(io.BytesIO(pictures[0].png())).std() > 0.1
    assert not ranks_of(tmp_path / "few", finished, {name: some[:4] for name, some in hits.items()})
    assert not ranks_of(tmp_path / "two", finished, {name: hits[name] for name in ("alone", "all")})


def test_the_heat_map_colours_the_difference(workdirs):
    ax = transfer_report(workdirs).pieces[1].figure.axes[0]
    values = ax.images[0].get_array()
    assert values[0].tolist() == pytest.approx([0, 0, 25, 40])
    assert {text.get_text() for text in ax.texts} >= {"90.0", "72.5"}


def test_few_speakers_are_marked_in_tables_and_pictures(tmp_path, finished, rewrite):
    right = {"scratch": {"x": 20, "y": 30}, "shared": {"x": 36, "y": 30}}
    workdirs = {
        name: [finished(tmp_path / name, hits, speakers="abcd")] for name, hits in right.items()
    }
    workdirs["shared"] = [finished(tmp_path / "five", right["shared"], speakers="abcde")]
    path = workdirs["scratch"][0] / "results.json"
    results = json.loads(path.read_text())
    for result in results["corpora"].values():  # as an older version left it
        del result["speakers"]
    path.write_text(json.dumps(results))
    note = "† fewer than five speakers: says little about others."
    table, picture, details = transfer_report(workdirs).pieces[:3]
    assert table.shown()[0] == ("x", "50.0", "50.0", "50.0†", "50.0", "90.0+")
    assert note in table.notes
    assert note in details.notes
    assert "†" not in table.csv() + details.csv()
    names = [text.get_text() for text in picture.figure.axes[0].get_yticklabels()]
    assert names == ["x†", "y†"]
    assert picture.figure.get_supxlabel() == note
    picture.png()
    (text,) = picture.figure.texts
    low, high = text.get_window_extent().y0, text.get_window_extent().y1
    assert 0 <= low < high < picture.figure.axes[0].get_window_extent().y0  # it can be read
    rows = baseline_report(workdirs).pieces[0].shown()
    assert [row[3] for row in rows[:2]] == ["50.0†", "75.0†"]


def test_unknown_speakers_are_not_said_to_be_few(workdirs):
    table, picture = transfer_report(workdirs).pieces[:2]
    assert "†" not in str([table.shown(), table.notes])
    assert not picture.figure.texts


def test_a_system_without_devel_part_can_be_compared(workdirs, rewrite):
    rewrite(workdirs["scratch"][0], devel_uar={"x": None})
    table = transfer_report(workdirs).pieces[0].shown()
    assert table[0][2:4] == ("", "50.0")
    assert table[-1][2:4] == ("", "62.5")
