import json

from emojax.experiments.reports.score_grid import read_grid
from emojax.experiments.reports.sex_table import sex_tables


def test_a_row_for_each_corpus_that_says_the_sex_of_its_speakers(workdirs):
    assert sex_tables(read_grid(workdirs), "pooled", "UAR") == []
    path = workdirs["shared"][0] / "results.json"
    run = json.loads(path.read_text())
    own = {"n": 40, "speakers": 5, "chance": 0.5, "uar": 0.75, "uar_ci95": [0.5, 1.0]}
    run["corpora"]["x"]["by_sex"] = {"female": own, "male": own | {"uar": 0.5, "speakers": 2}}
    run["corpora"]["y"]["by_sex"] = {"male": own}
    path.write_text(json.dumps(run))
    (table,) = sex_tables(read_grid(workdirs), "pooled", "UAR")
    assert table.shown() == [
        ("shared", "x", "75.0 [50.0, 100.0]", "40", "50.0 [50.0, 100.0]†", "40", "+25.0"),
        ("shared", "y", "", "", "75.0 [50.0, 100.0]", "40", ""),
    ]
