"""The driver reads crops of the length that its network asks for."""

import contextlib

import pytest

from emojax.training.driver import make_driver
from emojax.training.run import make_layout, make_manifest


@pytest.mark.parametrize(("trim_db", "windows"), [(0.0, 1), (25.0, 2)])
def test_a_network_that_cuts_silence_off_reads_two_windows(
    tiny_config, tiny_corpora, parts, trim_db, windows
):
    config = tiny_config.replace(trim_db=trim_db)
    _, driver = make_driver(
        config,
        make_manifest(config, tiny_corpora),
        parts,
        dict.fromkeys(parts, 8_000),
        make_layout(config, len(parts)),
        lambda state: (state, {}),
        on_device=False,
    )
    with contextlib.closing(driver):
        call = next(driver.batches)
        [plan] = call.plans.values()
        assert plan.rows.audio.shape[-1] == windows * 8_000
