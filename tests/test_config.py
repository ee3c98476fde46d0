"""Settings are read once; a wrong one gives one error with its name, value and choices."""

import pytest

from configs import base
from emojax.config import Config, DataConfig, NetworkConfig, completed, read_config, read_section


@pytest.fixture(scope="module")
def settings():
    return base.get_config().to_dict()


def test_settings_come_back_as_they_were_given(settings):
    flat = read_config(settings).flat()
    assert flat == {**settings, "learning_rates": list(settings["learning_rates"])}
    assert read_config(flat) == read_config(settings)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("width", 0, r"width=0; give a whole number from 1 to 4,096: --config\.width="),
        ("width", 10**9, "from 1 to 4,096"),
        ("width", "32", "width='32'; give a whole number"),
        ("width", True, "width=True; give a whole number"),
        ("depth", 2.5, r"depth=2\.5; give a whole number from 1 to 64"),
        ("seed", -1, "seed=-1; give a whole number from 0"),
        ("dropout", 1.0, r"dropout=1\.0; give a number from 0 up to, but not including, 1"),
        ("tempo", 1.0, r"tempo=1\.0; give a number from 0 up to, but not including, 1"),
        ("colour_db", -1.0, r"colour_db=-1\.0; give a number of at least 0"),
        ("l2", float("nan"), "l2=nan; give a number of at least 0"),
        ("adapters", 1, "adapters=1; give True or False"),
        ("corpora", None, "corpora=None; give a text"),
        ("window_s", 0.01, r"window_s=0\.01; give from 0\.1 to 60 s"),
        ("learning_rates", (), r"learning_rates=\(\); give a rate greater than 0 for every phase"),
        ("learning_rates", (0.1, 0.0), "give a rate greater than 0"),
        ("learning_rates", 0.1, "give a rate greater than 0"),
        ("precision", "f64", "precision='f64'; give one of auto, f32, bf16, f16"),
        ("transfer", "adapter", r"transfer='adapter'; give one of scratch \(trains everything"),
        (
            "domains",
            "emotion:anger,rage",
            "give one of corpora, .*two or more of anger, boredom, calm",
        ),
        ("sampling", "random", "sampling='random'; choose round_robin"),
    ],
)
def test_a_wrong_value_is_one_error(settings, name, value, message):
    with pytest.raises(ValueError, match=message) as error:
        read_config({**settings, name: value})
    assert "\n" not in str(error.value)


def test_a_missing_setting_is_named(settings):
    del (rest := dict(settings))["l2"]
    with pytest.raises(ValueError, match=r"there is no setting l2; configs/base\.py has them all"):
        read_config(rest)


def test_an_unknown_setting_is_named(settings):
    with pytest.raises(ValueError, match=r"there is no setting widht; configs/base\.py has them"):
        read_config({**settings, "widht": 8})


def test_a_network_that_names_no_deviation_pools_the_mean_alone(settings):
    del (rest := dict(settings))["attention_deviation"]
    assert read_section(NetworkConfig, rest) == read_config(settings).network
    with pytest.raises(ValueError, match="attention_deviation=1; give True or False"):
        read_section(NetworkConfig, {**rest, "attention_deviation": 1})


def test_a_section_needs_its_own_settings_only(settings):
    data = read_section(
        DataConfig,
        {"partition": "loso:a", "seed": 1, "domains": "corpora", "label_words": "", "refit": False},
    )
    assert data == read_config({**settings, "partition": "loso:a", "seed": 1}).data


def test_replaced_settings_are_checked_again(settings):
    config = read_config(settings)
    assert isinstance(config.replace(width=8), Config)
    with pytest.raises(ValueError, match="choose finetune, adapters, norms or last_layer"):
        config.replace(base="runs/any")
    with pytest.raises(ValueError, match="there is no setting widht"):
        config.replace(widht=8)


def test_a_setting_that_is_no_more_is_left_out_only_where_it_says_nothing():
    older = completed({"config": {"tuned_at_once": 1}, "base": {"config": {"tuned_at_once": 8}}})
    assert "tuned_at_once" not in older["config"]
    assert older["base"]["config"]["tuned_at_once"] == 8  # such a run is not gone on with
