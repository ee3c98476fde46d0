"""Memory of the host that this process may still use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

_OWN_GROUP, _GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def free_bytes() -> int:
    """Return the host's free memory, or what is left of a container's or job's limit, if less."""
    return min([psutil.virtual_memory().available, *left_in_groups(_OWN_GROUP, _GROUPS)])


def left_in_groups(own_group: Path, groups: Path) -> Iterator[int]:
    """Yield the bytes left in each control group of the process that has a limit (cgroups v2).

    Args:
      own_group: file that names the group, such as ``/proc/self/cgroup``.
      groups: folder of all groups.
    """
    try:
        lines = own_group.read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        if line.startswith("0::/"):
            own = groups / line.removeprefix("0::/")
            for group in (own, *own.parents)[: len(own.relative_to(groups).parts) + 1]:
                yield from _left(group)


def _left(group: Path) -> Iterator[int]:
    """Yield the bytes left in one group; nothing if it has no limit."""
    try:
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no limit, or no access
        return
    # The kernel drops cached files when memory is needed.
    yield max(0, limit - used + int(stat.get("inactive_file", 0)))
