"""Every network trains, is scored, adapts and is published through the same calls."""

import jax
import numpy as np
import pytest

import emojax
from emojax.audio.reading import read_audio
from emojax.config import NETWORKS, RESNET
from emojax.evaluation.evaluator import evaluate
from emojax.export.hub import export_hub
from emojax.export.onnx import make_model
from emojax.export.portable import load_portable
from emojax.export.stablehlo import make_exported
from emojax.inference.network import load_networks
from emojax.training.loop import train


@pytest.fixture(scope="module", params=sorted(NETWORKS.keys() - {RESNET}))
def config(request, tiny_config):
    return tiny_config.replace(
        network=request.param,
        conv_features=4,
        lstm_units=3,
        dense_units=6,
        adapter_rank=2,
        optimizer="adadelta",
        learning_rates=(1.0,),
        rounds_per_phase=2,
        window_s=0.3,
    )


@pytest.fixture(scope="module")
def run(config, tiny_paths, tmp_path_factory):
    workdir = tmp_path_factory.mktemp(config.network.network)
    train(config, workdir, tiny_paths)
    return workdir


def test_a_run_is_scored_and_answers(config, run, tiny_sources):
    results = evaluate(run, "test")
    assert {result.corpus for result in results} == {"tones", "levels"}
    clip = next((tiny_sources / "tones").glob("*_high_*.wav"))
    model = emojax.load(run, corpus="tones")
    answer = model.predict(clip)
    assert sum(answer.values()) == pytest.approx(1, abs=1e-5)
    resnet = 8 * config.network.width * (config.network.network == "fusion")
    assert model.embed(clip).shape == (6 + resnet,)
    if resnet:
        assert model.adapt_norms([clip] * 16).predict(clip).keys() == answer.keys()
    else:
        with pytest.raises(ValueError, match="this network has no norms to adapt"):
            model.adapt_norms([clip] * 16)


def test_a_published_model_answers_the_same(run, tiny_sources, tmp_path):
    folder = export_hub(run, tmp_path / "published")
    clip = next((tiny_sources / "tones").glob("*_low_*.wav"))
    expected = emojax.load(run, corpus="tones").predict(clip)
    assert emojax.load(folder, corpus="tones").predict(clip) == pytest.approx(expected, abs=1e-3)


def test_adapters_are_tuned_over_the_frozen_rest(config, run, tiny_paths, tmp_path):
    tuned = config.replace(base=str(run), transfer="adapters", rounds_per_phase=1)
    train(tuned, tmp_path, tiny_paths)
    base, after = (load_networks(folder, ["tones"], "latest") for folder in (run, tmp_path))
    before, now = base.networks["tones"], after.networks["tones"]
    jax.tree.map(
        np.testing.assert_array_equal, load_networks(run).networks["tones"].shared, now.shared
    )
    assert any(
        not np.array_equal(one, other)
        for one, other in zip(
            jax.tree.leaves(before.corpus), jax.tree.leaves(now.corpus), strict=True
        )
    )


def test_layers_stay_or_begin_anew_as_asked(config, run, tiny_paths, tmp_path):
    changed = config.replace(
        base=str(run), transfer="finetune", frozen_layers="conv", new_layers="dense,head",
        rounds_per_phase=1, optimizer="momentum", learning_rates=(1e-6,),
    )  # fmt: skip
    train(changed, tmp_path, tiny_paths)
    before = load_networks(run, ["tones"]).networks["tones"]
    after = load_networks(tmp_path, ["tones"], "latest").networks["tones"]
    jax.tree.map(
        np.testing.assert_array_equal,
        {name: before.shared[name] for name in ("conv0", "conv1")},
        {name: after.shared[name] for name in ("conv0", "conv1")},
    )

    def change(name, part):
        old, new = (getattr(one, part)[name]["kernel"] for one in (before, after))
        return float(np.abs(old - new).max())

    assert change("dense0", "shared") > 1e-3  # back where the base began
    assert change("head_logits", "corpus") > 1e-3
    old, new = (one.shared["lstm_forward"]["input_kernel"] for one in (before, after))
    assert 0 < float(np.abs(old - new).max()) < 1e-3
    with pytest.raises(ValueError, match="no layer's name begins with 'stack9'; the network has"):
        train(changed.replace(frozen_layers="stack9"), tmp_path / "other", tiny_paths)
    with pytest.raises(ValueError, match=r"they need .*transfer=finetune"):
        config.replace(frozen_layers="conv")


def test_what_a_network_does_not_have_is_refused(config):
    with pytest.raises(ValueError, match=r"tempo with network='\w+'.*leave them at 0"):
        config.replace(tempo=0.1)
    with pytest.raises(ValueError, match=r"trim_db=25.0 with network='\w+'.*--config.trim_db=0.0"):
        config.replace(trim_db=25.0)
    with pytest.raises(ValueError, match="network='rnn'; give one of adapter_resnet, cnn_lstm, f"):
        config.replace(network="rnn")


def test_it_is_exported_as_stablehlo_and_refused_as_onnx(run, tiny_sources, tmp_path):
    clip = next((tiny_sources / "tones").glob("*_low_*.wav"))
    expected = emojax.load(run, corpus="tones").predict(clip)
    exported = make_exported(load_portable(str(run), "tones"))
    samples = read_audio(clip)
    answer = exported.call(samples[None], np.array([len(samples)], np.int32))
    np.testing.assert_allclose(answer["probabilities"][0], [*expected.values()], atol=1e-4)
    with pytest.raises(ValueError, match=r"(CnnLstm|Fusion) cannot be written as ONNX"):
        make_model(load_portable(str(run), "tones"))
