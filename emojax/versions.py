"""Versions of the software that made a result."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, emojax and other packages, by name.

    >>> sorted(versions("numpy"))
    ['emojax', 'numpy', 'python']
    """
    return {name: _version(name) for name in (*packages, "emojax")} | {
        "python": platform.python_version()
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a checkout that is not installed
        return "not installed"


def commit() -> str | None:
    """Return the checkout's commit, with a plus sign if it has changes; None without a checkout."""
    root = Path(__file__).parents[1]
    try:
        # An installed emojax may lie inside the checkout of another project.
        if Path(_git(root, "rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return None
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
        return _git(root, "rev-parse", "HEAD") + "+" * bool(changes)
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
