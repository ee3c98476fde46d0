"""Compile a training round for a GPU that is not there, and count what a step launches.

    JAX_PLATFORMS=cpu python benchmarks/launches.py [--gpu=H100] [--width=32] [--batch_size=64]
    [--hlo=FILE]

The compiler comes with ``pip install 'jax[cuda13]'`` (4 GB) and needs no GPU. Counted are the
instructions in the loop over the steps, of the compiled program for the shortest crop: fusions,
calls of cuDNN and the like, each of them once, those of inner loops too. It is nearly the number of
kernels: cuDNN may launch several for a convolution. The host's calls are fewer, because XLA makes a
CUDA graph of successive launches, which is one call (``XLA_FLAGS`` say of which).

Fails if there are more than :data:`MOST`, or if a GPU that has no bf16 computes a convolution in
another dtype than float16, or anything in float64.
"""

from __future__ import annotations

import collections
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import compiled
import cycles
from absl import app, flags

from configs import base
from emojax import target
from emojax.config import read_config

FLAGS = flags.FLAGS
flags.DEFINE_enum("gpu", "H100", compiled.GPUS, "What to compile for.")
flags.DEFINE_integer("width", 32, "Of the network.", lower_bound=1)
flags.DEFINE_integer("batch_size", 64, "Clips in a step.", lower_bound=1)
flags.DEFINE_string("hlo", "", "File for the compiled program.")
CORPORA = 4  # with 26 a step launches one more
MOST = {"H100": 260, "T4": 430}  # launches of a step of the default size
# By the name that the compiler gives to an instruction, or by its target.
KINDS = {
    "convolution": r".*__cudnn\$conv",
    "matrix product": r"gemm|.*__cublas",
    "collective": r"all-|reduce-scatter|collective",
    "copy": "copy",
    "memset": r"\w*broadcast_fusion",
    "reduction": r"\w*reduce",
    "transpose": r"\w*transpose",
    "elementwise": r".* fusion\(",
}
# These are addresses, or are counted where they begin or with what they call.
FREE = r"parameter|constant|get-tuple-element|tuple|bitcast|while|conditional|call|[\w\-]+-done"


def launched(hlo: str) -> Iterator[str]:
    """Yield the instructions inside loops that launch something."""
    known = cycles.computations(hlo)
    waiting, seen = [body for body, _ in cycles.loops(hlo)], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for line in known[name]:
            if re.search(r" (while|conditional|call)\(", line):
                waiting += re.findall(r"(?:condition|to_apply|_computation)=%?([\w.\-]+)", line)
            elif re.search(rf" (?!({FREE})\()[a-z][a-z\-]*\(", line):
                yield line


def by_kind(lines: Iterator[str]) -> dict[str, int]:
    """Count instructions by their kind, the most frequent first."""
    return dict(collections.Counter(map(_kind, lines)).most_common())


def _kind(line: str) -> str:
    named = re.sub(r"^ *(ROOT )?%?", "", line)
    return next((kind for kind, words in KINDS.items() if re.match(words, named)), "other")


def host_calls(thunks: str) -> int:
    """Count the calls of a turn of the first loop in XLA's list of thunks; a graph is one."""
    calls, graph = 0, None
    for line in thunks.split("body:", 1)[1].splitlines():
        thunk = re.match(r"( *)\d+: k(\w+)", line)
        if not thunk or (graph is not None and len(thunk[1]) > graph):
            continue
        if not thunk[1]:  # after the loop
            break
        graph = len(thunk[1]) if thunk[2] == "CommandBuffer" else None
        calls += thunk[2] != "While"
    return calls


def compile_round(programs: compiled.Programs) -> tuple[str, str]:
    """Return the compiled program, and its thunks."""
    lowered = programs.lower("round")
    with tempfile.TemporaryDirectory() as folder:
        dump = {"xla_dump_to": folder, "xla_dump_hlo_as_text": True}
        hlo = lowered.compile(dump).as_text()
        (thunks,) = Path(folder).glob("*thunk_sequence_after_thunk_passes.txt")
        return hlo, thunks.read_text(encoding="utf-8")


def check_dtypes(hlo: str) -> None:
    """Raise a ValueError unless all convolutions are in float16 and nothing is in float64."""
    convolutions = re.findall(r"= \(?(\w+)\[.*__cudnn\$conv", hlo)
    if {*convolutions} != {"f16"}:
        raise ValueError(f"convolutions in {', '.join(sorted({*convolutions})) or 'no dtype'}")
    if re.search(r"\b(f64|c128)\[", hlo):
        raise ValueError("float64 in the program")


def main(argv: list[str]) -> None:
    """Compile a round, and count."""
    own = {name: getattr(FLAGS, name) for name in ("width", "batch_size")}
    config = read_config({**base.get_config().to_dict(), **own})
    devices = compiled.gpu(FLAGS.gpu)
    programs = compiled.Programs(config, devices, CORPORA, windows=1)
    hlo, thunks = compile_round(programs)
    if FLAGS.hlo:
        Path(FLAGS.hlo).write_text(hlo, encoding="utf-8")
    counts = by_kind(launched(hlo))
    total = sum(counts.values())
    report = {"launches": total, "kinds": counts, "host_calls": host_calls(thunks)}
    print(json.dumps({"command": sys.argv, **report}, indent=2))
    if target.target_of(devices[0]).precision == "f16":
        check_dtypes(hlo)
    if total > MOST[FLAGS.gpu]:
        raise SystemExit(f"a step launches more than {MOST[FLAGS.gpu]}")


if __name__ == "__main__":
    app.run(main)
