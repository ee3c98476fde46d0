"""Settings of the C library's allocator for training on a CPU."""

from __future__ import annotations

import ctypes
import os

# Constants of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_TOP_PAD_BYTES = 256 * 2**20


def use_fast_allocator() -> bool:
    """Keep freed memory in the process instead of the kernel; call it before importing jax.

    XLA allocates its large buffers again in every step. With glibc's defaults each buffer is
    mapped, faulted in page by page and unmapped, which takes more time than the arithmetic. The
    cost is that the process never returns memory.

    Returns:
      True if the allocator was set; False without glibc or with ``EMOJAX_FAST_ALLOCATOR=0`` in the
      environment.
    """
    if os.environ.get("EMOJAX_FAST_ALLOCATOR") == "0":
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    settings = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: -1, _M_ARENA_MAX: 1, _M_TOP_PAD: _TOP_PAD_BYTES}
    done = [mallopt(name, value) for name, value in settings.items()]
    return all(done)
