"""Every config file holds settings that can be trained; the paper's hold the paper's."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from emojax.experiments.request import read_config
from emojax.training.run import check_config, make_model

CONFIGS = Path(__file__).parents[1] / "configs"
FILES = sorted(path.name for path in CONFIGS.glob("[!_]*.py"))


def config_of(file):
    return read_config(str(CONFIGS / file))


@pytest.mark.parametrize("file", FILES)
def test_every_config_is_trainable_and_has_the_settings_of_base(file):
    config = config_of(file)
    check_config(config)
    assert set(config) == set(config_of("base.py"))


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("paper_")])
def test_the_papers_network_and_batches(file):
    config = config_of(file)
    assert (config.width, config.depth, config.batch_size, config.window_s) == (32, 2, 64, 5.0)
    assert (config.momentum, config.l2, config.learning_rate_decay) == (0.9, 1e-6, 1e-6)
    multi = file == "paper_multi_corpus.py"
    assert config.patience_epochs == (0 if multi else 50)
    assert multi == (config.rounds_per_phase == 2_500)
    assert config.adapters == (file in ("paper_multi_corpus.py", "paper_adapters.py", "paper_last_layer.py"))
    slow = file in ("paper_finetune.py", "paper_last_layer.py")
    assert config.learning_rates == ((0.01, 0.001) if slow else (0.1, 0.01, 0.001))


@pytest.mark.parametrize("backend", ["cpu", "gpu", "tpu"])
def test_the_machine_at_hand_chooses_the_precision(backend, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    config = config_of("base.py")
    here = jnp.float32 if backend == "cpu" else jnp.bfloat16
    for config.precision, dtype in (("auto", here), ("f32", jnp.float32), ("bf16", jnp.bfloat16)):
        assert make_model(config, classes=2).compute_dtype == dtype
