"""Expected time of the paper's run on several chips: a model, not a measurement.

    python benchmarks/scaling.py --step_ms=MS [--chips=1,4,8,16,64]

A step is split by rows. What remains on each chip is the update of the parameters; what is added
are sums over all chips: of the gradients, and of the statistics of every norm. Bandwidths and the
time of a hop are those of "How to scale your model" (jax-ml.github.io/scaling-book).
"""

from __future__ import annotations

import dataclasses
import math

from absl import app, flags

ROUNDS = 7_500
# Steps of a round on EmoSet's stand-in with crops of 1.67, 3.33 and 5 s, and the operations of
# each relative to the first (docs/performance.md, the budget).
STEPS = {1.0: 15, 4.85 / 2.45: 6, 7.25 / 2.45: 5}
PARAMETERS = 2_709_792 + 301_088  # kernels and a corpus's adapters, of the paper's network
NORMS = 15


@dataclasses.dataclass(frozen=True)
class Chip:
    """A v5e and its links; a pod is a square or a rectangle of two squares."""

    memory_bytes_per_s: float = 8.19e11
    link_bytes_per_s: float = 9e10  # both ways of one axis
    hop_s: float = 1e-6


def step_s(one_s: float, chips: int, chip: Chip) -> float:
    """Compute the seconds of a step that takes ``one_s`` on one chip."""
    update_s = 6 * 4 * PARAMETERS / chip.memory_bytes_per_s
    return (one_s - update_s) / chips + update_s + sums_s(chips, chip)


def sums_s(chips: int, chip: Chip) -> float:
    """Compute the seconds of a step's sums over the chips: gradients once, each norm twice."""
    if chips == 1:
        return 0.0
    short = 2 ** (int(math.log2(chips)) // 2)
    axes = 1 if short == 1 else 2
    across_s = (short + chips // short) * chip.hop_s  # there and back, to the middle of each axis
    gradients_s = 2 * 4 * PARAMETERS / (axes * chip.link_bytes_per_s)
    return gradients_s + (1 + 2 * NORMS) * across_s


def run_s(one_s: float, chips: int, chip: Chip) -> float:
    """Compute the seconds of all rounds, without evaluations and compiling."""
    return ROUNDS * sum(
        count * step_s(one_s * longer, chips, chip) for longer, count in STEPS.items()
    )


def table(one_s: float, counts: list[int], chip: Chip) -> str:
    """Format the model as Markdown."""
    lines = ["| chips | a step of 1.67 s | the run | of ideal |", "|---|---|---|---|"]
    alone_s = run_s(one_s, 1, chip)
    for chips in counts:
        whole_s = run_s(one_s, chips, chip)
        lines.append(
            f"| {chips} | {1e3 * step_s(one_s, chips, chip):.2f} ms | {whole_s / 60:.1f} min | "
            f"{alone_s / chips / whole_s:.0%} |"
        )
    return "\n".join(lines)


def main(argv: list[str]) -> None:
    """Print the table."""
    counts = [int(count) for count in flags.FLAGS.chips]
    print(table(flags.FLAGS.step_ms / 1e3, counts, Chip()))


if __name__ == "__main__":
    flags.DEFINE_float("step_ms", None, "Of a step of 1.67 s on one chip.", required=True)
    flags.DEFINE_list("chips", ["1", "4", "8", "16", "64"], "Numbers of chips.")
    app.run(main)
