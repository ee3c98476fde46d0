"""What the TPU compiler expects of a program: cycles of every operation, loops by their turns."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator, Mapping

V5E_HZ = 1.5e9
PARTS = {
    "halve": r"_block/(?!.*_(conv|norm)\d).*(pad|reduce|div|reshape|broadcast|convert|mul)",
    "transform": r"fft|dot_general.*log_mel|log_mel.*dot_general",
    "convolutions and what is fused with them": r"conv_general",
    "norm, ReLU and mask": r"AdapterResNet",
}
Operation = tuple[float, str, str]  # cycles of all turns, its name, where it is from


def computations(hlo: str) -> dict[str, list[str]]:
    """Return computation → its lines; the entry has the name ``ENTRY``."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in hlo.splitlines():
        opening = re.match(r"(ENTRY )?%?([\w.\-]+) .*\{$", line)
        if opening and not line.startswith(" "):
            lines = found.setdefault("ENTRY" if opening[1] else opening[2], [])
        elif line.startswith(" "):
            lines.append(line)
    return found


def loops(hlo: str) -> list[tuple[str, int]]:
    """Return the body and the number of turns of every loop, loops inside loops too."""
    known = computations(hlo)
    return [_loop(line, known) for own in known.values() for line in own if " while(" in line]


def _loop(line: str, known: Mapping[str, list[str]]) -> tuple[str, int]:
    body = re.search(r"body=%?([\w.\-]+)", line)[1]  # type: ignore[index]
    turns = re.search(r'known_trip_count":\{"n":"(\d+)"', line)
    if turns:
        return body, int(turns[1])
    condition = re.search(r"condition=%?([\w.\-]+)", line)[1]  # type: ignore[index]
    limits = re.findall(r"s32\[\]\S* constant\((\d+)\)", "\n".join(known[condition]))
    return body, max(map(int, limits), default=1)


def inside_loops(hlo: str) -> Iterator[str]:
    """Yield the lines of all that is computed inside loops."""
    known = computations(hlo)
    waiting, seen = [body for body, _ in loops(hlo)], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in known:
            continue
        seen.add(name)
        for line in known[name]:
            yield line
            waiting += re.findall(r"(?:body|to_apply|calls|condition)=%?([\w.\-]+)", line)


def operations(hlo: str, name: str = "ENTRY", turns: float = 1) -> Iterator[Operation]:
    """Yield the operations and their cycles."""
    known = computations(hlo)
    for line in known[name]:
        if " while(" in line:
            body, count = _loop(line, known)
            yield from operations(hlo, body, turns * count)
            continue
        called = re.search(r"(?:to_apply|calls)=%?([\w.\-]+)", line)
        if called and re.search(r" (call|async-start)\(", line):
            yield from operations(hlo, called[1], turns)
        cycles = re.search(r'"estimated_cycles":"(\d+)"', line)
        if cycles:
            source = re.search(r'op_name="([^"]*)"', line)
            yield turns * int(cycles[1]), line.split(" = ")[0].strip(), source[1] if source else ""


def by_part(found: list[Operation]) -> dict[str, float]:
    """Sum the cycles of each part of a step."""
    sums: collections.Counter[str] = collections.Counter()
    for cycles, _, source in found:
        sums[next((part for part, words in PARTS.items() if re.search(words, source)), "rest")] += (
            cycles
        )
    return dict(sums.most_common())
