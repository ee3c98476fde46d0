"""A feature set is opened by its name, with all that it needs, before any work starts."""

from importlib.metadata import PackageNotFoundError

import pytest

from emojax.baselines import feature_sets, features
from emojax.baselines.feature_sets import open_features


def test_an_unknown_name_is_one_clear_error():
    with pytest.raises(
        ValueError, match="'mfcc'; choose one of egemaps, compare, is10, deepspectrum_vgg16, "
    ):
        open_features("mfcc")


def test_each_set_of_opensmile_reads_its_own_features(monkeypatch):
    monkeypatch.setattr(features, "version", lambda _: "9.9")
    monkeypatch.setattr(feature_sets, "functionals", lambda *asked: asked)
    sets = [open_features(name) for name in ("egemaps", "compare", "is10")]
    assert [one.read("corpus", "folder") for one in sets] == [
        ("corpus", "egemaps", "folder"),
        ("corpus", "compare", "folder"),
        ("corpus", "is10", "folder"),
    ]
    assert [(one.description, one.versions) for one in sets] == [
        ("eGeMAPSv02", {"opensmile": "9.9"}),
        ("ComParE_2016", {"opensmile": "9.9"}),
        ("IS10", {"opensmile": "9.9"}),
    ]


def test_without_opensmile_the_error_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(features, "version", missing)
    with pytest.raises(
        ValueError, match=r'openSMILE is not installed; pip install "emojax\[baselines\]"'
    ):
        open_features("egemaps")
