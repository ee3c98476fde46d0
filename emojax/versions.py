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
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        commit, changes = (
            subprocess.run(
                [*git, *command], capture_output=True, text=True, check=True
            ).stdout.strip()
            for command in (
                ["rev-parse", "HEAD"],
                ["status", "--porcelain", "--untracked-files=no"],
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + "+" * bool(changes)
