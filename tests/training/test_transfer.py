"""Where a run begins at another one: what it takes over, what it trains, and what it refuses."""

import contextlib
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.checkpoints import read_manifest
from emojax.data.feeds import HostFeed
from emojax.data.partitioned import open_corpora
from emojax.export.hub import export_hub
from emojax.inference.network import load_networks
from emojax.training import loop
from emojax.training.run import make_layout, make_manifest, make_run
from emojax.training.transfer import (
    base_of,
    begin_at_base,
    check_division,
    sgd,
    with_network_of_base,
)
from emojax.training.validation import network_of


def adapted(config, base, **settings):
    schedule = {"rounds_per_phase": 1, "learning_rates": (0.1,), "eval_every_rounds": 1}
    return config.replace(**{"base": str(base), **schedule, **settings})


def network(workdir, corpus):
    return load_networks(workdir, [corpus]).networks[corpus]


def train(config, workdir, paths):
    """Train; gives the last network of the one corpus, which need not be better than the first."""
    state = loop.train(config, workdir, paths)
    (corpus,) = state.corpora.values()
    return network_of(state.shared.params, corpus)


def begin(config, paths):
    """The state before the first step of a run on some corpora."""
    corpora = open_corpora(paths, **vars(config.data))
    parts = {name: corpus.load("train") for name, corpus in corpora.items()}
    manifest = make_manifest(config, corpora)
    new = make_run(config, manifest, parts, HostFeed.batch, make_layout(config, 1)).state
    return begin_at_base(config, manifest, new)


def changed(one, other) -> set[str]:
    """Modules of two trees whose parameters differ."""
    return {
        name
        for name in one
        if not all(map(np.array_equal, *map(jax.tree.leaves, (one[name], other[name]))))
    }


def test_adapters_keep_the_trunk_to_the_bit(tiny_config, tiny_paths, tiny_run, tmp_path):
    config = adapted(tiny_config, tiny_run, transfer="adapters", width=8)
    ours, base = train(config, tmp_path, {"tones": tiny_paths["tones"]}), network(tiny_run, "tones")
    assert changed(ours.shared, base.shared) == set()
    assert changed(ours.corpus, base.corpus) == set(base.corpus)
    assert (
        read_manifest(tmp_path)["config"]["width"] == tiny_config.network.width
    )  # the base's, not ours


def test_norms_keep_the_trunk_and_the_adapters_to_the_bit(
    tiny_config, tiny_paths, tiny_run, tmp_path
):
    config = adapted(tiny_config, tiny_run, transfer="norms")
    ours, base = train(config, tmp_path, {"tones": tiny_paths["tones"]}), network(tiny_run, "tones")
    assert changed(ours.shared, base.shared) == set()
    assert changed(ours.corpus, base.corpus) == {
        name for name in base.corpus if "norm" in name or name.startswith("head")
    }
    assert changed(ours.stats, base.stats) == set(base.stats)
    assert any(own.get("adapter", np.zeros(1)).any() for own in base.corpus.values())


def test_the_last_layer_keeps_all_but_the_head(tiny_config, tiny_paths, tiny_run, tmp_path):
    config = adapted(tiny_config, tiny_run, transfer="last_layer")
    ours, base = train(config, tmp_path, {"tones": tiny_paths["tones"]}), network(tiny_run, "tones")
    assert changed(ours.shared, base.shared) == set()
    assert changed(ours.corpus, base.corpus) == {"head_hidden", "head_norm", "head_logits"}
    assert changed(ours.stats, base.stats) == {"head_norm"}


def test_finetuning_trains_everything_from_the_base(tiny_config, tiny_paths, tiny_run, tmp_path):
    config = adapted(tiny_config, tiny_run, transfer="finetune", learning_rates=(1e-6,))
    ours, base = train(config, tmp_path, {"tones": tiny_paths["tones"]}), network(tiny_run, "tones")
    assert changed(ours.shared, base.shared) == set(base.shared)
    for one, other in zip(*map(jax.tree.leaves, (ours.corpus, base.corpus)), strict=True):
        np.testing.assert_allclose(one[..., :3], other[..., :3], atol=1e-4)  # a small step away


def test_new_layers_begin_anew_with_their_statistics(tiny_config, tiny_paths, tiny_run):
    config = adapted(tiny_config, tiny_run, transfer="finetune", new_layers="norm_last,head")
    begun, base = begin(config, {"tones": tiny_paths["tones"]}), network(tiny_run, "tones")
    own = begun.corpora["tones"]
    assert changed(own.stats, base.stats) == {"norm_last", "head_norm"}
    assert changed(own.params, base.corpus) >= {"norm_last", "head_norm"}
    assert all((own.stats[name]["variance"] == 1).all() for name in ("norm_last", "head_norm"))


def test_a_new_corpus_begins_at_the_norms_of_another(tiny_config, tiny_paths, tiny_run, tmp_path):
    config = adapted(tiny_config, tiny_run, transfer="last_layer", base_corpus="levels")
    ours, base = train(config, tmp_path, {"new": tiny_paths["tones"]}), network(tiny_run, "levels")
    assert changed(ours.corpus, base.corpus) == {"head_hidden", "head_norm", "head_logits"}


def test_a_new_corpus_begins_at_the_common_emotions(tiny_config, tiny_paths, tmp_path):
    config = tiny_config.replace(
        domains="corpora+emotion",
        label_words="high=anger,middle=joy,low=sadness",
        learning_rates=(0.1,),
        rounds_per_phase=1,
    )
    loop.train(config, tmp_path / "base", tiny_paths)
    common = network(tmp_path / "base", "emotion")
    slow = {"transfer": "last_layer", "learning_rates": (1e-9,), "domains": "corpora"}
    config = adapted(config, tmp_path / "base", **slow)
    ours = train(config, tmp_path / "run", {"new": tiny_paths["tones"]})  # high, low, middle
    assert changed(ours.stats, common.stats) == {"head_norm"}
    for name, leaf in common.corpus["head_logits"].items():  # anger, happiness, sadness
        begun = ours.corpus["head_logits"][name][..., :3]
        np.testing.assert_allclose(begun, leaf[..., [0, 2, 1]], atol=1e-6)


def test_common_emotions_begin_at_those_of_a_base_that_has_more(tiny_config, tiny_paths, tmp_path):
    words = "high=anger,middle=joy,low=sadness"
    config = tiny_config.replace(
        domains="emotion", label_words=words, learning_rates=(0.1,), rounds_per_phase=1
    )
    loop.train(config, tmp_path / "base", {"tones": tiny_paths["tones"]})
    common = network(tmp_path / "base", "emotion")
    words = "loud=sadness,soft=anger"
    config = adapted(config, tmp_path / "base", transfer="last_layer", learning_rates=(1e-9,))
    own = config.replace(label_words=words)
    ours = train(own, tmp_path / "run", {"levels": tiny_paths["levels"]})
    for name, leaf in common.corpus["head_logits"].items():  # anger, happiness, sadness
        begun = ours.corpus["head_logits"][name][..., :2]
        np.testing.assert_allclose(begun, leaf[..., [0, 2]], atol=1e-6)


def test_a_transfer_goes_on_where_it_was(tiny_config, tiny_paths, tiny_run, tmp_path):
    config = adapted(tiny_config, tiny_run, transfer="last_layer")
    paths = {"tones": tiny_paths["tones"]}
    first, again = (loop.train(config, tmp_path, paths) for _ in range(2))
    assert again.step == first.step
    for one, other in zip(*map(jax.tree.leaves, (first.corpora, again.corpora)), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match=r"base\.config\.transfer: the checkpoint has scratch"):
        loop.train(config.replace(base=str(tmp_path)), tmp_path, paths)


def test_a_published_model_is_a_base_like_its_run(tiny_config, tiny_paths, tiny_run, tmp_path):
    published = export_hub(str(tiny_run), tmp_path / "tiny")
    config = adapted(tiny_config, published, transfer="last_layer", base_corpus="levels")
    assert base_of(config) == base_of(config.replace(base=str(tiny_run)))
    ours = train(config, tmp_path / "run", {"new": tiny_paths["tones"]})
    base = network(published, "levels")
    assert changed(ours.shared, base.shared) == set()
    assert changed(ours.corpus, base.corpus) == {"head_hidden", "head_norm", "head_logits"}


def run_of(base=None, seed=0, domains="corpora", partition="default", **digests):
    """A manifest, and what of it is checked."""
    config = {"partition": partition, "seed": seed, "domains": domains, "base": "runs/base"}
    return {"config": config, "partitions": digests, **({"base": base} if base else {})}


@pytest.mark.parametrize(
    ("ancestor", "message"),
    [
        (run_of(a=1), ""),
        (run_of(b=1, seed=1), ""),
        (run_of(a=2), "learnt from other clips or labels of a"),
        (run_of(a=1, seed=1), "--config.seed=1"),
        (run_of(arousal=1, domains="arousal", seed=1), "--config.seed=1"),
        (run_of(arousal=1, domains="arousal"), ""),
        (run_of(b=1, emotion=1, domains="corpora+emotion", partition="all"), ""),
        (run_of(a=1, b=1, partition="all"), "learnt from every clip of a, so no test of them"),
        (
            run_of(emotion=1, domains="emotion", partition="all"),
            "learnt from every clip of its corpora, so no test",
        ),
        (run_of(arousal=1, domains="arousal", partition="all"), "every clip of its corpora"),
    ],
)
@pytest.mark.parametrize("between", [False, True])
def test_a_trunk_that_may_know_the_test_part_is_refused(tiny_config, ancestor, message, between):
    manifest = run_of(run_of(ancestor, b=1) if between else ancestor, a=1)
    config = tiny_config.replace(transfer="finetune", **manifest["config"])
    with pytest.raises(ValueError, match=message) if message else contextlib.nullcontext():
        check_division(config, manifest)


BOTH = "corpora+emotion"


@pytest.mark.parametrize(
    ("own", "domains", "ancestor", "message"),
    [
        ("a", BOTH, run_of(b=1, emotion=2, partition="all", domains=BOTH), ""),
        ("a", BOTH, run_of(a=1, b=1, emotion=2, domains=BOTH), ""),
        ("a", BOTH, run_of(a=2, b=1, emotion=1, domains=BOTH), "other clips or labels of a, so"),
        (
            "",
            "emotion",
            run_of(b=1, emotion=2, partition="all", domains=BOTH),
            "every clip of emotion",
        ),
        ("", "emotion", run_of(b=1, emotion=1, seed=1, domains=BOTH), "--config.seed=1"),
    ],
)
def test_a_domain_is_judged_by_the_corpora_beside_it(tiny_config, own, domains, ancestor, message):
    config = tiny_config.replace(transfer="finetune", base="runs/base", domains=domains)
    with pytest.raises(ValueError, match=message) if message else contextlib.nullcontext():
        check_division(config, run_of(ancestor, emotion=1, **({own: 1} if own else {})))


@pytest.mark.parametrize(
    ("whole", "seed", "message"),
    [(1, 0, ""), (2, 0, "other clips or labels of a, so"), (1, 1, "--config.seed=1")],
)
def test_a_domain_of_columns_is_judged_by_its_corpus(tiny_config, whole, seed, message):
    base = run_of(seed=seed)
    base["config"]["columns"] = "a:x+y"
    base["partitions"] = {"a-x-y": {"digest": 5, "whole": whole}}
    config = tiny_config.replace(transfer="finetune", base="runs/base")
    with pytest.raises(ValueError, match=message) if message else contextlib.nullcontext():
        check_division(config, run_of(base, a=1))


def test_a_model_without_a_test_part_may_learn_from_any_base(tiny_config):
    config = dataclasses.replace(
        tiny_config, data=dataclasses.replace(tiny_config.data, partition="all")
    )
    check_division(config, run_of(run_of(a=2, partition="default"), a=1, partition="all"))


def test_a_network_keeps_the_adapters_of_its_base(tiny_config, tiny_run):
    config = adapted(tiny_config, tiny_run, transfer="finetune", adapters=False)
    assert with_network_of_base(config).network.adapters


def test_a_network_pools_as_its_base_does(tiny_config, tiny_run):
    config = adapted(tiny_config, tiny_run, transfer="finetune", attention_deviation=True)
    assert not with_network_of_base(config).network.attention_deviation


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"transfer": "adapter"}, r"scratch \(trains everything"),
        ({"transfer": "scratch"}, "choose finetune, adapters, norms or last_layer"),
        ({"transfer": "finetune", "base": ""}, "needs the folder of a trained run"),
        ({"transfer": "adapters", "adapters": False}, "adapters=True"),
    ],
)
def test_settings_that_do_not_fit(tiny_config, settings, message):
    with pytest.raises(ValueError, match=message):
        tiny_config.replace(**{"base": "runs/any", **settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"transfer": "last_layer"}, "choose --config.base_corpus from tones, levels"),
        (
            {"transfer": "adapters", "base_corpus": "emodb"},
            "unknown corpus 'emodb'(.|\n)*tones, levels",
        ),
        ({"transfer": "adapters", "base": "nowhere"}, "nowhere holds no checkpoint"),
        (
            {"transfer": "adapters", "corpus": "tones", "seed": 3},
            "learnt from what is test here.*seed=0",
        ),
    ],
)
def test_a_base_that_does_not_fit(tiny_config, tiny_paths, tiny_run, tmp_path, settings, message):
    settings = {"corpus": "new", "base": str(tiny_run), **settings}
    corpus, base = settings.pop("corpus"), settings.pop("base")
    config = adapted(tiny_config, base, **settings)
    with pytest.raises(ValueError, match=message):
        loop.train(config, tmp_path, {corpus: tiny_paths["tones"]})


def test_l2_is_the_gradient_of_the_loss_term():
    params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    tx = sgd(0.0, 0.5)
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
    np.testing.assert_allclose(
        updates["kernel"], jax.grad(lambda w: 0.5 * jnp.sum(w**2))(params["kernel"])
    )
    assert not updates["bias"].any()
