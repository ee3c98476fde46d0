"""The versions and the commit that stand beside a result."""

import platform
import shutil
import subprocess

import numpy
import pytest

from emojax import versions


def test_what_is_not_installed_is_said():
    found = versions.versions("numpy", "no-such-package-anywhere")
    assert found["numpy"] == numpy.__version__
    assert found["python"] == platform.python_version()
    assert found["no-such-package-anywhere"] == "not installed"


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_a_changed_checkout_is_marked_and_no_checkout_has_no_commit(tmp_path, monkeypatch):
    def git(*arguments):
        command = [
            "git",
            "-C",
            str(tmp_path),
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@x",
            *arguments,
        ]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    module = tmp_path / "versions.py"
    module.write_text("")
    monkeypatch.setattr(versions, "__file__", str(module))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert versions.commit() is None
    git("init")
    git("add", ".")
    git("commit", "--message=first")
    commit = git("rev-parse", "HEAD")
    assert versions.commit() == commit
    (tmp_path / "results.json").write_text("a new file is no change")
    assert versions.commit() == commit
    module.write_text("# changed")
    assert versions.commit() == f"{commit}+"


def test_without_git_there_is_no_commit(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert versions.commit() is None
