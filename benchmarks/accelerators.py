"""Compile the programs of a run for a TPU that is not there, and say what its compiler expects.

    python benchmarks/accelerators.py [--topology=v5e:1x1] [--program=round] [--width=32]
    [--windows=1] [--change=conv_shortcut=False ...] [--hlo=FILE] [--out=FILE.json]

Cycles are a model of the compiler's, not a measurement.
"""

from __future__ import annotations

import ast
import json
import sys
import time
from pathlib import Path

import compiled
import cycles
from absl import app, flags

from configs import base
from emojax.config import read_config

flags.DEFINE_string("topology", "v5e:1x1", "Chips, as libtpu names them.")
flags.DEFINE_enum("program", "round", compiled.PROGRAMS, "What to compile.")
flags.DEFINE_integer("width", 32, "Of the network.", lower_bound=1)
flags.DEFINE_integer("batch_size", 64, "Clips in a step.", lower_bound=1)
flags.DEFINE_float("window_s", 5.0, "Longest crop.", lower_bound=0.1)
flags.DEFINE_integer("corpora", 26, "Of EmoSet's stand-in.", lower_bound=1)
flags.DEFINE_integer("windows", 3, "Crop lengths, the shortest first.", lower_bound=1)
flags.DEFINE_multi_string("change", [], "FIELD=VALUE of emojax.target.Target, to compare.")
flags.DEFINE_string("hlo", "", "File for the compiled program.")
flags.DEFINE_string("out", "", "File for the JSON; standard output if not given.")
NETWORK = ("width", "batch_size", "window_s")


def changes(texts: list[str]) -> dict[str, object]:
    """Read FIELD=VALUE; a value is a Python literal, else a text."""
    read = {}
    for text in texts:
        name, _, value = text.partition("=")
        read[name] = ast.literal_eval(value) if value in ("True", "False") else value
    return read


def main(argv: list[str]) -> None:
    """Compile one program."""
    settings = flags.FLAGS.flag_values_dict()
    own = {name: settings[name] for name in NETWORK}
    config = read_config({**base.get_config().to_dict(), **own})
    programs = compiled.Programs(
        config,
        compiled.tpu(settings["topology"]),
        settings["corpora"],
        settings["windows"],
        changes(settings["change"]),
    )
    begin_s = time.perf_counter()
    lowered = programs.lower(settings["program"])
    lowered_s = time.perf_counter()
    program = lowered.compile()
    hlo = program.as_text()
    if settings["hlo"]:
        Path(settings["hlo"]).write_text(hlo, encoding="utf-8")
    found = list(cycles.operations(hlo))
    report = {
        "command": sys.argv,
        "lower_s": lowered_s - begin_s,
        "compile_s": time.perf_counter() - lowered_s,
        "loops": [turns for _, turns in cycles.loops(hlo)],
        "ms": sum(own for own, *_ in found) / cycles.V5E_HZ * 1e3,
        "parts_ms": {
            part: own / cycles.V5E_HZ * 1e3 for part, own in cycles.by_part(found).items()
        },
        "peak_gb": compiled.peak_bytes(program) / 1e9,
        "donated": compiled.donated(lowered, program),
    }
    text = json.dumps(report, indent=2)
    if settings["out"]:
        Path(settings["out"]).write_text(text + "\n", encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    app.run(main)
