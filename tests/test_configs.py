"""Every config file holds settings that can be trained; the paper's hold the paper's."""

from pathlib import Path

import pytest

from configs import base, paper
from emojax.experiments.launch.spec import read_config_file
from emojax.inference.network import PRECISIONS, make_model
from emojax.target import CPU, GPU, OLD_GPU, TPU

CONFIGS = Path(__file__).parents[1] / "configs"
FILES = sorted(path.name for path in CONFIGS.glob("[!_]*.py"))


def config_of(file):
    return read_config_file(str(CONFIGS / file))


@pytest.mark.parametrize("file", [*FILES, *(f"paper.py:{mode}" for mode in paper.MODES)])
def test_every_config_is_trainable_and_has_the_settings_of_base(file):
    assert set(config_of(file).flat()) == set(base.get_config())


@pytest.mark.parametrize("mode", paper.MODES)
def test_the_papers_network_and_batches(mode):
    config = config_of(f"paper.py:{mode}")
    network, train, schedule = config.network, config.train, config.schedule
    assert (network.width, network.depth, train.batch_size, train.window_s) == (32, 2, 64, 5.0)
    assert (train.momentum, train.l2, schedule.learning_rate_decay) == (0.9, 1e-6, 1e-6)
    multi = mode == "multi_corpus"
    assert schedule.patience_epochs == (0 if multi else 50)
    assert multi == (schedule.rounds_per_phase == 2_500)
    assert network.adapters == (mode in ("multi_corpus", "adapters", "last_layer"))
    slow = mode in ("finetune", "last_layer")
    assert schedule.learning_rates == ((0.01, 0.001) if slow else (0.1, 0.01, 0.001))


def test_an_unknown_mode_of_the_paper_names_the_choices():
    with pytest.raises(ValueError, match=r"paper\.py:all; choose one of multi_corpus, scratch"):
        paper.get_config("all")


@pytest.mark.parametrize("target", [CPU, GPU, OLD_GPU, TPU], ids=str)
def test_the_machine_at_hand_chooses_the_precision(target):
    for precision, dtype in PRECISIONS.items() | {("auto", PRECISIONS[target.precision])}:
        config = config_of("base.py").replace(precision=precision)
        assert make_model(config.network, 2, target).compute_dtype == dtype
