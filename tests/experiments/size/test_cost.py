import jax
import pytest

from emojax.experiments.size.cost import network_cost, training_s
from emojax.inference.network import load_networks


@pytest.mark.parametrize("shared_attention", [True, False])
def test_parameters_are_those_of_a_trained_network(
    shared_attention, tiny_config, tiny_paths, tmp_path, untrained
):
    folder = untrained(tiny_config, tiny_paths, tmp_path, shared_attention=shared_attention)
    loaded = load_networks(folder)
    cost = network_cost(loaded.manifest["config"], corpora=2, classes=3)

    def size(tree):
        return sum(leaf.size for leaf in jax.tree.leaves(tree))

    networks = loaded.networks
    assert cost.shared == size(networks["tones"].shared)
    assert cost.own == size(networks["levels"].corpus)
    assert cost.together == cost.shared + sum(size(one.corpus) for one in networks.values())
    adapters = [
        leaf.size
        for path, leaf in jax.tree_util.tree_leaves_with_path(networks["tones"].corpus)
        if "adapter" in jax.tree_util.keystr(path)
    ]
    assert adapters
    assert cost.folded == cost.shared + cost.own - sum(adapters)


def test_a_larger_network_needs_more_operations(tiny_config):
    flat = tiny_config.flat()
    small, deep, wide = (
        network_cost({**flat, **more}, 2, 3).mflop for more in ({}, {"depth": 2}, {"width": 8})
    )
    assert 0 < small < deep < wide


def test_training_time_is_what_the_run_noted(tiny_run, metrics, tmp_path):
    notes = [note for note in metrics(tiny_run) if "time/step_s" in note]
    assert [note["step"] for note in notes] == [4, 8, 12, 16, 20, 24]
    assert training_s(tiny_run) == pytest.approx(4 * sum(note["time/step_s"] for note in notes))
    assert training_s(tmp_path) is None
