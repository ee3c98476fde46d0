import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread

from emojax.evaluation import figures
from emojax.evaluation.metrics import score


def result(corpus="demo", labels=("anger", "calm", "fear"), n=60, speakers=5):
    rng = np.random.default_rng(0)
    truth = np.arange(n) % len(labels)
    prediction = np.where(rng.random(n) < 0.7, truth, 0)
    return score(
        corpus, "a protocol", labels, truth, prediction, [str(i % speakers) for i in range(n)]
    )


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved, for a look at what they hold."""
    seen = []
    save = figures.Figure.savefig
    monkeypatch.setattr(
        figures.Figure, "savefig", lambda self, *a, **k: (seen.append(self), save(self, *a, **k))
    )
    return seen


def test_every_corpus_has_its_matrix_and_no_panel_is_empty(tmp_path, drawn):
    results = [result(f"corpus{i}") for i in range(5)]
    figures.confusion_figure(results, tmp_path / "confusion.png")
    (figure,) = drawn
    titles = [ax.get_title() for ax in figure.axes]
    assert [title.splitlines()[0] for title in titles] == [f"corpus{i}" for i in range(5)]
    low, high = results[0].uar_ci95
    assert f"UAR {100 * results[0].uar:.1f} % [{100 * low:.1f}, {100 * high:.1f}]" in titles[0]
    assert imread(tmp_path / "confusion.png").std() > 0.1


def test_cells_show_the_percent_of_the_row_and_the_clips(tmp_path, drawn):
    r = result()
    figures.confusion_figure([r], tmp_path / "confusion.png")
    (ax,) = drawn[0].axes
    cells = {text.get_position()[::-1]: text.get_text() for text in ax.texts}
    assert set(cells) == {tuple(cell) for cell in np.argwhere(r.confusion)}
    share = 100 * r.confusion[1, 0] / r.confusion[1].sum()
    assert cells[1, 0] == f"{share:.0f}%\n{r.confusion[1, 0]}"


def test_the_picture_grows_with_corpora_and_labels(tmp_path):
    def size(results):
        figures.confusion_figure(results, tmp_path / "confusion.png")
        return imread(tmp_path / "confusion.png").shape[:2]

    small, wide = size([result()]), size([result()] * 2)
    large = size([result(labels=tuple(f"label {i}" for i in range(12)))])
    assert wide[1] > 1.8 * small[1]
    assert min(large) > 1.5 * max(small)


def test_synthetic_speech_is_called_so(tmp_path, drawn):
    figures.confusion_figure([result("synthetic-german")], tmp_path / "confusion.png")
    assert "(synthetic speech)" in drawn[0].axes[0].get_title()


def test_fewer_than_five_speakers_are_marked_and_explained(tmp_path, drawn):
    results = [result("many"), result("few", speakers=4)]
    figures.confusion_figure(results, tmp_path / "confusion.png")
    figures.confusion_figure(results[:1], tmp_path / "confusion.png")
    titles = [ax.get_title().splitlines()[0] for ax in drawn[0].axes]
    assert titles == ["many", "few†"]
    assert drawn[0].get_supxlabel() == "† fewer than five speakers: says little about others."
    assert drawn[1].get_supxlabel() == ""


def test_labels_are_text_and_never_mathematics(tmp_path, drawn):
    figures.confusion_figure(
        [result(labels=("$\\frac$", "a$b$", "_^"))], tmp_path / "confusion.png"
    )
    assert [tick.get_text() for tick in drawn[0].axes[0].get_yticklabels()] == [
        "$\\frac$",
        "a$b$",
        "_^",
    ]


def test_a_picture_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "confusion.png"
    path.write_bytes(b"old")

    def failing(self, draft, **_):
        draft.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(figures.Figure, "savefig", failing)
    with pytest.raises(OSError, match="disk full"):
        figures.confusion_figure([result()], path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_else_s_plots_are_touched():
    code = "import sys, emojax.evaluation.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
