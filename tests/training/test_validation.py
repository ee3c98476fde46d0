"""Evaluations on devel give the same scores, wherever the clips wait."""

import jax
import numpy as np

from emojax.data.feeds import DeviceFeed
from emojax.data.partitioned import open_corpora
from emojax.training import validation as devel_module
from emojax.training.run import make_layout, make_manifest, make_run
from emojax.training.validation import devel_uars, make_devel


def test_without_room_on_the_device_the_answers_are_the_same(tiny_config, tiny_paths, monkeypatch):
    corpora = open_corpora(tiny_paths, **vars(tiny_config.data))
    layout = make_layout(tiny_config, len(corpora))
    parts = {name: corpus.load("devel") for name, corpus in corpora.items()}
    manifest = make_manifest(tiny_config, corpora)
    run = make_run(tiny_config, manifest, parts, DeviceFeed.batch, layout)

    uars = []
    for room, kind in ((True, jax.Array), (False, np.ndarray)):
        monkeypatch.setattr(devel_module, "has_room", lambda *_, room=room: room)
        devel = make_devel(parts, layout)
        assert all(
            isinstance(batch.audio, kind) for one in devel.values() for batch in one.windows.batches
        )
        uars += [devel_uars(run.forward, run.state, devel) for _ in range(2)]
    assert uars[0] == uars[1] == uars[2] == uars[3]
