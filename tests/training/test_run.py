"""What a run is made of follows from its settings and its corpora."""

import numpy as np
import pytest

from emojax.data.feeds import DeviceFeed
from emojax.training import run
from emojax.training.run import make_layout, make_manifest, make_run


def test_a_manifest_does_not_depend_on_where_things_lie(tiny_config, tiny_corpora):
    manifest = make_manifest(tiny_config, tiny_corpora)
    moved = tiny_config.replace(corpora="x", source_dir="y", data_dir="z", allow_bad=True)
    assert make_manifest(moved, tiny_corpora) == manifest
    assert make_manifest(tiny_config.replace(width=8), tiny_corpora) != manifest


def test_each_corpus_has_its_own_classes_and_their_weights(beginning, parts):
    manifest, state = beginning
    for name, labels in manifest["corpora"].items():
        corpus, counts = state.corpora[name], np.bincount(parts[name].labels)
        np.testing.assert_array_equal(corpus.class_mask, np.arange(3) < len(labels))
        expected = counts.sum() / (len(labels) * counts)
        np.testing.assert_allclose(corpus.class_weight[: len(labels)], expected, rtol=1e-6)
        assert not corpus.class_weight[len(labels) :].any()


@pytest.mark.parametrize(("mode", "frozen"), [("scratch", False), ("adapters", True)])
def test_a_step_has_the_settings_of_augmentation_loss_and_trunk(
    mode, frozen, tiny_config, tiny_corpora, parts, monkeypatch
):
    monkeypatch.setattr(run, "init_state", lambda *_: None)
    monkeypatch.setattr(run, "begin_averages", lambda _: None)
    monkeypatch.setattr(run, "_make_step", lambda *_: lambda *arguments: arguments[-1])
    settings = {"frequency_warp": 0.12, "tempo": 0.15, "colour_db": 6.0, "noise_share": 0.1}
    settings |= {"telephone": 0.1, "masked_mels": 8.0, "masked_share": 0.2}
    others = {"label_smoothing": 0.1, "mixup": 0.2, "average_decay": 0.99}
    base = "a base" if frozen else ""
    config = tiny_config.replace(**settings, **others, transfer=mode, base=base)
    manifest, layout = make_manifest(config, tiny_corpora), make_layout(config, len(tiny_corpora))
    step = make_run(config, manifest, parts, DeviceFeed.batch, layout).step
    assert step.keywords == {**others, "augment": settings, "frozen_trunk": frozen}


@pytest.mark.parametrize(
    ("mode", "frozen_kernels", "frozen_norms"),
    [
        ("scratch", False, False),
        ("finetune", False, False),
        ("adapters", True, False),
        ("norms", True, False),
        ("last_layer", True, True),
    ],
)
def test_what_a_mode_leaves_alone_is_frozen(
    tiny_config, tiny_corpora, parts, monkeypatch, mode, frozen_kernels, frozen_norms
):
    monkeypatch.setattr(run, "init_state", lambda *_: None)
    config = tiny_config.replace(transfer=mode, base="" if mode == "scratch" else "runs/base")
    manifest, layout = make_manifest(config, tiny_corpora), make_layout(config, len(tiny_corpora))
    model = make_run(config, manifest, parts, DeviceFeed.batch, layout).model
    assert (model.frozen_kernels, model.frozen_norms) == (frozen_kernels, frozen_norms)
