"""JAX's persistent compilation cache, turned on for the scripts."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

MAX_SIZE_BYTES = 2 * 2**30
MIN_COMPILE_S = 0.2


def use_compilation_cache() -> bool:
    """Cache compiled programs in ``~/.cache/emojax/xla``; call it before importing jax.

    Programs that compile in less than 0.2 s are not cached. JAX names each program by its
    computation, JAX's versions, and the accelerator or the CPU's instruction set. If the cache
    exceeds two GiB, the least recently used programs are deleted.

    Returns:
      True if the cache is turned on; False if ``EMOJAX_COMPILATION_CACHE=0`` or JAX's own
      ``JAX_COMPILATION_CACHE_DIR`` is set, or nothing can be written.
    """
    if (
        os.environ.get("EMOJAX_COMPILATION_CACHE") == "0"
        or "JAX_COMPILATION_CACHE_DIR" in os.environ
    ):
        return False
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emojax" / "xla"
        # Cached programs are executed, so nobody else may write here.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder_info = folder.stat()
    except (OSError, RuntimeError):  # Path.home() fails for a user without a home
        return False
    others_write = folder_info.st_uid != os.getuid() or folder_info.st_mode & 0o022
    if others_write or not os.access(folder, os.W_OK):
        return False
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(MAX_SIZE_BYTES))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", str(MIN_COMPILE_S))
    # A full disk or an incomplete file is harmless: the program is compiled again.
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache entry")
    return True
