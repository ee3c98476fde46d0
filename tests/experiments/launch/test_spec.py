import pytest

from emojax.experiments.launch.spec import parse_seeds, read_config_file


def test_a_file_that_is_no_config_is_refused():
    with pytest.raises(ValueError, match=r"train\.py is no config file .* there are"):
        read_config_file("no/train.py")


def test_settings_of_the_network_are_those_of_its_base(spec):
    base = spec.network("base", "configs/quickstart.py", {"x": "x"}, {}, adapters=False, width=5)
    tuned = spec.network("tuned", "configs/adapt.py", {"x": "x"}, {}, base)
    assert tuned.config["width"] == 5
    assert "--config.width=5" not in tuned.commands[0]  # train.py finds it in the base
    assert f"--config.base={base.folder}" in tuned.commands[0]
    assert "base" not in tuned.config


@pytest.mark.parametrize("texts", [[], ["one"], ["-1"], ["1.5"], [""]])
def test_seeds_are_whole_numbers(texts):
    with pytest.raises(ValueError, match="give whole numbers, as in --seeds=0,1,2"):
        parse_seeds(texts)
