"""The site builds without a warning: every page is in its menu, and every link leads somewhere."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_site_builds_and_shows_docstrings(tmp_path):
    build = Path(sys.executable).with_name("sphinx-build")
    command = [build, "-q", "-W", "--keep-going", "-d", tmp_path / "read", "-c", "docs", "."]
    done = subprocess.run(
        [*command, tmp_path / "site"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    api = (tmp_path / "site" / "docs" / "api.html").read_text(encoding="utf-8")
    for name in ("emojax.load", "emojax.Model.predict", "emojax.inference.stream.Stream.feed"):
        assert f'id="{name}"' in api
