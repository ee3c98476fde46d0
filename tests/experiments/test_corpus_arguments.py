import pytest

from emojax.experiments.corpus_arguments import parse_bases, parse_corpora


@pytest.mark.parametrize("items", [["x", "x=y.csv"], ["synthetic"], ["../x"]])
def test_corpora_need_names_of_their_own(items):
    with pytest.raises(ValueError, match=items[-1].partition("=")[0]):
        parse_corpora(items)


@pytest.mark.parametrize("item", ["x", "x=here.csv"])
def test_a_base_of_a_corpus_s_name_has_its_path(item):
    with pytest.raises(ValueError, match=rf"--base_corpora=x=there.csv .* {item} of --corpora; give --base"):
        parse_bases(["x=there.csv"], {"x": item})
    assert parse_bases(["x", "y=there.csv"], {"x": item}) == {"x": item, "y": "y=there.csv"}
    assert parse_bases([item], {"x": item}) == {"x": item}
