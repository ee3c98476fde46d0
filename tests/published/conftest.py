import shutil

import pytest

from emojax.export.hub import export_hub


@pytest.fixture(scope="session")
def exported(tiny_run, tmp_path_factory):
    """The tiny run as a published model; tests only read it."""
    return export_hub(str(tiny_run), tmp_path_factory.mktemp("published") / "tiny")


@pytest.fixture
def published(exported, tmp_path):
    """A published model that a test may change."""
    return shutil.copytree(exported, tmp_path / "tiny")
