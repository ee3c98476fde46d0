"""A network that cuts silence off is trained on crops of two windows, scored, and adapted."""

import contextlib

import pytest

import emojax
from emojax.evaluation.evaluator import evaluate
from emojax.training.adapting import adaptation_config
from emojax.training.driver import make_driver
from emojax.training.loop import train
from emojax.training.run import make_layout, make_manifest
from emojax.training.transfer import with_network_of_base


@pytest.fixture(scope="module")
def config(tiny_config):
    return tiny_config.replace(trim_db=25.0, rounds_per_phase=2)


def test_it_reads_two_windows(config, tiny_corpora, parts):
    manifest, layout = make_manifest(config, tiny_corpora), make_layout(config, 2)
    windows = dict.fromkeys(parts, 8_000)
    _, driver = make_driver(
        config, manifest, parts, windows, layout, lambda state: (state, {}), on_device=False
    )
    with contextlib.closing(driver):
        [plan] = next(driver.batches).plans.values()
    assert plan.rows.audio.shape[-1] == 2 * 8_000


def test_it_is_trained_scored_and_a_base(config, tiny_paths, tiny_sources, tmp_path):
    train(config, tmp_path, tiny_paths)
    assert {result.corpus for result in evaluate(tmp_path, "test")} == {"tones", "levels"}
    clip = next((tiny_sources / "tones").glob("*_low_*.wav"))
    answer = emojax.load(tmp_path, corpus="tones").predict(clip)
    assert sum(answer.values()) == pytest.approx(1, abs=1e-5)
    adapted = adaptation_config(tmp_path, "tones", "finetune", rounds=1, seed=0)
    assert with_network_of_base(adapted).network.trim_db == 25.0
