"""JAX's cache of compiled programs, on for the scripts."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

MAX_SIZE_BYTES = 2 * 2**30


def use_compilation_cache() -> bool:
    """Keep what takes a second to compile in ``~/.cache/emojax/xla``; call it before importing jax.

    JAX names each program after all that it depends on: what is computed, its own versions, and the
    kind of accelerator or the instructions of the CPU.  Above two GiB the programs that were not
    used for longest go.

    Returns:
      Whether it was done: False with ``EMOJAX_COMPILATION_CACHE=0`` in the environment, where JAX's
      own ``JAX_COMPILATION_CACHE_DIR`` is set, or where nothing can be written.
    """
    if (
        os.environ.get("EMOJAX_COMPILATION_CACHE") == "0"
        or "JAX_COMPILATION_CACHE_DIR" in os.environ
    ):
        return False
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emojax" / "xla"
        # What is read from here is run.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder_info = folder.stat()
    except (OSError, RuntimeError):  # Path.home() of a user without a home
        return False
    others_write = folder_info.st_uid != os.getuid() or folder_info.st_mode & 0o022
    if others_write or not os.access(folder, os.W_OK):
        return False
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(MAX_SIZE_BYTES))
    # A full disk, or half a file of a killed process: the program is compiled, and nobody need
    # mind.
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache entry")
    return True
