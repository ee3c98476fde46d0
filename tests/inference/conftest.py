import pytest

import emojax


@pytest.fixture(scope="session")
def model(tiny_run):
    return emojax.load(tiny_run, corpus="tones")
