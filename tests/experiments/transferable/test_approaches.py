"""The approaches as data, applied to the layers of the network itself."""

import jax
import jax.numpy as jnp
import pytest

from emojax.config import are_domains
from emojax.experiments.transferable.approaches import (
    ABLATED,
    APPROACHES,
    DOMAIN,
    SCENARIOS,
    SIX,
    TRANSFERS,
)
from emojax.models.cnn_lstm import CnnLstm

BELOW = ["conv0", "conv1", "lstm_forward"]
TOP = ["dense0", "dense1", "head_logits"]
LAYERS = [*BELOW, *TOP]
# Approach of the paper → frozen layers, layers with new parameters.
PAPER = {
    "A1": (LAYERS, []),
    "A2": ([], []),
    "A3": (["conv0"], []),
    "A4": (["conv0", "conv1"], []),
    "A5": (BELOW, []),
    "A6": (["conv0"], LAYERS[1:]),
    "A7": (["conv0", "conv1"], LAYERS[2:]),
    "A8": (BELOW, TOP),
}


@pytest.fixture(scope="module")
def layers():
    model = CnnLstm(classes=6)
    inputs = jnp.zeros((1, 16_000)), jnp.array([16_000]), jnp.ones(6, bool)
    made = jax.eval_shape(lambda key: model.init(key, *inputs, train=False), jax.random.key(0))
    return sorted(made["params"], key=LAYERS.index)


def of(layers, text):
    return [name for name in layers if text and name.startswith(tuple(text.split(",")))]


def test_each_approach_freezes_and_renews_the_papers_layers(layers):
    assert layers == LAYERS
    found = {name: tuple(of(layers, one) for one in both) for name, both in APPROACHES.items()}
    assert found == PAPER
    assert [name for name, one in APPROACHES.items() if not one.tunes] == ["A1"]


def test_both_scenarios_have_all_approaches():
    assert len(TRANSFERS) == len(SCENARIOS) * 8 == 16
    assert (TRANSFERS[0], TRANSFERS[-1]) == ("S1-A1", "S2-A8")
    assert set(ABLATED) <= set(TRANSFERS)


def test_the_domain_is_a_setting_of_six_common_emotions():
    assert are_domains(DOMAIN)
    assert len(SIX) == 6
