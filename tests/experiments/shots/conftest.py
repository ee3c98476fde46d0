"""Settings that train the tiny corpora for two rounds."""

import pytest

LINES = """
from configs import {name}

def get_config():
    config = {name}.get_config()
    config.update(width=4, depth=1, batch_size=8, window_s=1.0, fast_conv="off")
    config.update(rounds_per_phase=2, warmup_rounds=0)
    return config
"""


@pytest.fixture
def settings_file(tmp_path):
    """A function that writes a small form of a config file."""

    def write(name):
        path = tmp_path / f"small_{name}.py"
        path.write_text(LINES.format(name=name))
        return str(path)

    return write
