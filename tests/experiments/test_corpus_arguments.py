from pathlib import Path

import pytest

from emojax.corpora.listing import prepared
from emojax.experiments.corpus_arguments import parse_bases, parse_corpora, prepare, prepared_names


@pytest.mark.parametrize("items", [["x", "x=y.csv"], ["synthetic"], ["../x"]])
def test_corpora_need_names_of_their_own(items):
    with pytest.raises(ValueError, match=items[-1].partition("=")[0]):
        parse_corpora(items)


@pytest.mark.parametrize("item", ["x", "x=here.csv"])
def test_a_base_of_a_corpus_s_name_has_its_path(item):
    with pytest.raises(
        ValueError, match=rf"--base_corpora=x=there.csv .* {item} of --corpora; give --base"
    ):
        parse_bases(["x=there.csv"], {"x": item})
    assert parse_bases(["x", "y=there.csv"], {"x": item}) == {"x": item, "y": "y=there.csv"}
    assert parse_bases([item], {"x": item}) == {"x": item}


def test_a_corpus_with_a_path_is_prepared_in_every_command(tiny_sources, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    items = ["emodb", f"levels={tiny_sources / 'levels'}"]
    assert prepared_names(items, "corpora", str(tmp_path)) == ["emodb", "levels"]
    assert set(prepared(tmp_path)) == {"levels"}  # whoever needs emodb says that it is not prepared


def test_preparing_needs_a_checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"there is no train\.py here; run this in the folder"):
        prepare(["emodb"], "corpora", "data")
