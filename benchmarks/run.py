"""Benchmark runner: writes JSON to standard output or to ``--out``.

    python benchmarks/run.py [NAME ...] [--torch_python=PYTHON] [--keras_python=PYTHON]
    [--out=FILE.json]

``benchmarks/README.md`` describes what each benchmark measures.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from absl import app, flags
from budget import measure_budget
from emoset import measure_emoset
from growth import measure_growth
from inference import measure_inference
from lstm import measure_lstm
from start import measure_start
from step import measure_feeds, measure_front_end, measure_step

BENCHMARKS = {
    "step": measure_step,
    "front_end": measure_front_end,
    "feeds": measure_feeds,
    "lstm": measure_lstm,
    "inference": measure_inference,
    "start": measure_start,
    "budget": measure_budget,
    "growth": measure_growth,
    "emoset": measure_emoset,
}
QUICK = ("step", "front_end", "start")

flags.DEFINE_integer("batch_size", 64, "Clips in a step.", lower_bound=1)
flags.DEFINE_float(
    "window_s", 2.5, "Length of a clip, where it is not what varies.", lower_bound=0.1
)
flags.DEFINE_integer("width", 32, "Of the network.", lower_bound=1)
flags.DEFINE_integer(
    "corpora", 26, "Corpora of the state, and of an accelerator's round.", lower_bound=1
)
flags.DEFINE_integer("rounds", 15, "Timed turns of every row; of emoset, rounds.", lower_bound=1)
flags.DEFINE_integer("clips", 1000, "Of inference: many clips.", lower_bound=1)
flags.DEFINE_float("scale", 1.0, "Of emoset's numbers of clips.", lower_bound=0.0)
flags.DEFINE_string(
    "torch_python", sys.executable, "Python that has torch and numpy, for the PyTorch twin."
)
flags.DEFINE_string(
    "keras_python", sys.executable, "Python that has keras and a backend, for the Keras twin."
)
flags.DEFINE_string("out", "", "File for the JSON; standard output if not given.")
SETTINGS = (
    "batch_size",
    "window_s",
    "width",
    "corpora",
    "rounds",
    "clips",
    "scale",
    "torch_python",
    "keras_python",
)


def main(argv: list[str]) -> None:
    """Run the named benchmarks."""
    names = argv[1:] or QUICK
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise app.UsageError(
            f"unknown benchmark {', '.join(unknown)}; choose from {', '.join(BENCHMARKS)}"
        )
    out = Path(flags.FLAGS.out) if flags.FLAGS.out else None
    if out and not out.absolute().parent.is_dir():
        raise app.UsageError(f"--out={out}: there is no folder {out.absolute().parent}")
    settings = {name: flags.FLAGS[name].value for name in SETTINGS}
    report = {**settings, "command": sys.argv, "cores": os.cpu_count()}
    try:
        for name in names:
            print(f"{name} ...", file=sys.stderr)
            report[name] = BENCHMARKS[name](settings)
            if out:  # a benchmark that fails or is killed must not stop the others
                out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    finally:
        if not out:
            print(json.dumps(report, indent=2))


if __name__ == "__main__":
    app.run(main)
