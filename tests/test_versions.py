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


def git(folder, *arguments):
    command = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The module in a folder of its own, which is no checkout yet."""
    if not shutil.which("git"):
        pytest.skip("needs git")
    module = tmp_path / "checkout" / "emojax" / "versions.py"
    module.parent.mkdir(parents=True)
    module.write_text("")
    monkeypatch.setattr(versions, "__file__", str(module))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return module


def commit_all(checkout):
    git(checkout, "init")
    git(checkout, "add", ".")
    git(checkout, "commit", "--message=first")
    return git(checkout, "rev-parse", "HEAD")


def test_a_changed_checkout_is_marked_and_no_checkout_has_no_commit(module):
    checkout = module.parents[1]
    assert versions.commit() is None
    commit = commit_all(checkout)
    assert versions.commit() == commit
    (checkout / "results.json").write_text("a new file is no change")
    assert versions.commit() == commit
    module.write_text("# changed")
    assert versions.commit() == f"{commit}+"


def test_the_commit_of_a_project_around_an_installed_emojax_is_not_its_own(module, tmp_path):
    commit_all(tmp_path)
    assert versions.commit() is None


def test_without_git_there_is_no_commit(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert versions.commit() is None
