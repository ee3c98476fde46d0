"""Labels in any script are drawn where a font has them, and said in one line where none has."""

import io
import warnings

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from emojax import fonts
from emojax.fonts import save_figure


@pytest.fixture
def figure():
    figure = Figure()
    figure.subplots().set_xticks([0, 1], ["anger", "怒り"])
    return figure


def save(figure):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure, content := io.BytesIO())
    assert content.getvalue().startswith(b"\x89PNG")


def families_of(figure, label):
    figure.draw_without_rendering()
    return next(text for text in figure.findobj(Text) if text.get_text() == label).get_fontfamily()


def test_a_font_that_has_the_characters_is_found(figure, monkeypatch, capsys):
    has = {
        "DejaVu Sans": set(range(32, 127)) | {0x2212},
        "Other": {1},
        "Noto": set(map(ord, "怒り")),
    }
    monkeypatch.setattr(fonts, "_families", lambda: list(has))
    monkeypatch.setattr(fonts, "_characters", lambda family: frozenset(has[family]))
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **_: file.write(b"\x89PNG"))
    save(figure)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert families_of(figure, "怒り") == ["DejaVu Sans", "Noto"]
    assert capsys.readouterr().err == ""


def test_where_no_font_has_them_one_line_says_so(figure, monkeypatch, capsys):
    monkeypatch.setattr(fonts, "_families", lambda: ["DejaVu Sans"])
    save(figure)
    said = capsys.readouterr().err
    assert "no installed font has り怒" in said
    assert said.count("\n") == 1


def test_plain_labels_keep_their_font(capsys):
    figure = Figure()
    figure.subplots().set_xticks([0], ["anger"])
    before = families_of(figure, "anger")
    save(figure)
    assert families_of(figure, "anger") == before
    assert capsys.readouterr().err == ""
