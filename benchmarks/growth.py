"""Growth of a training step's time with corpora, clip length, batch and devices."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from interleaved import Worker, measure

PICTURE = Path("docs/figures/growth.png")
AXES: dict[str, Sequence[float]] = {
    "corpora": (1, 9, 18, 26),
    "window_s": (1.25, 2.5, 3.75, 5.0),
    "batch_size": (16, 32, 64),
}
# Steps of an accelerator's turn, equal for all numbers of corpora, since each turn waits once.
LEAST_STEPS = max(AXES["corpora"])
# Simulated devices share a CPU's cores, so the growth is the cost of splitting.
SIMULATED = "simulated_devices"
SIMULATED_DEVICES = (1, 2, 4)
NAMES = {
    "corpora": "corpora",
    "window_s": "clip length, s",
    "batch_size": "clips in a step",
    "devices": "devices",
    SIMULATED: "simulated devices, same cores",
}


def measure_growth(settings: dict) -> dict:
    """Measure seconds and MiB of a step along each axis, with the other sizes fixed."""
    report = {axis: _measure(settings, axis, values) for axis, values in AXES.items()}
    one = report["corpora"][str(AXES["corpora"][0])]
    if one["platform"] == "cpu":
        report[SIMULATED] = _measure(settings, "devices", SIMULATED_DEVICES, _simulated)
    elif one["devices"] > 1:
        counts = [2**power for power in range(one["devices"].bit_length())]
        report["devices"] = _measure(settings, "devices", counts)
    _draw(report)
    return report


def _simulated(devices: float) -> dict[str, str]:
    """Return the environment of a process with so many simulated CPU devices."""
    return {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}


def _measure(
    settings: dict,
    axis: str,
    values: Sequence[float],
    environment: Callable[[float], Mapping[str, str]] = lambda _: {},
) -> dict:
    makers = {
        str(value): functools.partial(
            Worker,
            "emojax_worker.py",
            {**settings, "job": "training", "least_steps": LEAST_STEPS, axis: value},
            environment(value),
        )
        for value in values
    }
    return measure(makers, settings["rounds"])


def _draw(report: dict) -> None:
    from matplotlib.figure import Figure  # takes a second to import

    figure = Figure(figsize=(3.4 * len(report), 5.6), dpi=120, layout="constrained")
    for column, (axis, rows) in zip(figure.subplots(2, len(report)).T, report.items(), strict=True):
        values = [float(value) for value in rows]
        # A few MiB per corpus would vanish beside a step's intermediate values.
        memory = "state_mib" if axis == "corpora" else "peak_memory_mib"
        for ax, key, colour in zip(
            column, ("step_s", memory), ("tab:blue", "tab:orange"), strict=True
        ):
            heights = [row[key] for row in rows.values()]
            ax.plot(values, heights, marker="o", color=colour)
            ax.set_ylim(0, 1.1 * max(heights))
        column[0].set_ylabel("seconds a step")
        column[1].set_ylabel("MiB of the state" if axis == "corpora" else "MiB at the peak")
        for ax in column:
            ax.set_xlabel(NAMES[axis])
            ax.grid(alpha=0.3)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE)
