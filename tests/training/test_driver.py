"""The driver reads crops of the length that its network asks for."""

import contextlib

from emojax.training.driver import make_driver
from emojax.training.run import make_layout, make_manifest


def test_a_network_that_cuts_silence_off_reads_two_windows(tiny_config, tiny_corpora, parts):
    manifest, layout = make_manifest(tiny_config, tiny_corpora), make_layout(tiny_config, 2)
    windows = dict.fromkeys(parts, 8_000)
    _, driver = make_driver(
        tiny_config, manifest, parts, windows, layout, lambda state: (state, {}), on_device=False
    )
    with contextlib.closing(driver):
        [plan] = next(driver.batches).plans.values()
    assert plan.rows.audio.shape[-1] == 2 * 8_000
