"""Benchmarks of training step, inference and front-end against twins in PyTorch and Keras."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from collections.abc import Callable

from interleaved import Worker, measure

WITHOUT_ALLOCATOR = {"EMOJAX_FAST_ALLOCATOR": "0"}
EMOJAX = {
    "emojax": ({}, {}),
    "emojax_plain": ({"config": {"adapters": False}}, {}),
    "emojax_untuned": ({"config": {"fold_adapters": False, "fast_conv": "off"}}, WITHOUT_ALLOCATOR),
    "emojax_host": ({"on_host": True}, {}),
    "emojax_disk": ({"on_disk": True}, {}),
}
STEP = ("emojax", "emojax_plain", "emojax_untuned")
COMPILED = "torch_compiled"  # needs a C++ compiler, or Triton
TORCH = {
    "torch": ("installed", WITHOUT_ALLOCATOR),
    "torch_tuned": ("tuned", {}),
    COMPILED: ("compiled", {}),
}
KERAS = "keras"
TENSORFLOW = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}


def measure_step(settings: dict) -> dict:
    """Measure training steps, then forward passes."""
    return _measure(settings, ("training", "inference"), STEP, {"torch": TORCH, KERAS: [KERAS]})


def measure_front_end(settings: dict) -> dict:
    """Measure the front-end: waveforms to standardised log-mel spectrograms."""
    return _measure(settings, ("front_end",), ["emojax"], {"torch": ["torch"], KERAS: [KERAS]})


def measure_feeds(settings: dict) -> dict:
    """Measure training steps with clips on the device, in the host's memory and on the disk."""
    return _measure(settings, ("training",), ["emojax", "emojax_host", "emojax_disk"], {})


def _measure(settings: dict, jobs, ours, twins) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        settings = {**settings, "exported": f"{folder}/exported.npz"}
        present = [
            row for library, rows in twins.items() if has_library(library, settings) for row in rows
        ]
        if present:
            # For the comparison of logits, both compute in f32.
            export = {**settings, "job": "export", "corpora": 1}
            with Worker("emojax_worker.py", export, {"JAX_PLATFORMS": "cpu"}) as worker:
                worker.end()
            settings["devices"] = 1  # the twins use one
        report = {}
        for job in jobs:
            makers = {row: _maker(row, {**settings, "job": job}) for row in [*ours, *present]}
            report[job] = _alike(measure(makers, settings["rounds"], optional=[COMPILED, KERAS]))
            for row in report[job].values():
                row["clips_per_s"] = settings["batch_size"] / row["step_s"]
        return report


def _alike(rows: dict) -> dict:
    """Keep the rows with EmoJAX's kind of device; a library may lack accelerator support."""
    device = rows["emojax"]["device"]
    alike = {
        row: facts for row, facts in rows.items() if (facts["device"] == "cpu") == (device == "cpu")
    }
    for row in rows.keys() - alike.keys():
        print(f"no {row}: it ran on {rows[row]['device']}, and EmoJAX on {device}", file=sys.stderr)
        for facts in alike.values():
            del facts["speed_over"][row], facts["speed_over_quartiles"][row]
    return alike


def _maker(row: str, settings: dict) -> Callable[[], Worker]:
    if row in EMOJAX:
        own, environment = EMOJAX[row]
        return functools.partial(Worker, "emojax_worker.py", {**settings, **own}, environment)
    if row == KERAS:
        return functools.partial(
            Worker, "keras_twin.py", settings, TENSORFLOW, settings["keras_python"]
        )
    twin, environment = TORCH[row]
    settings = {**settings, "twin": twin}
    return functools.partial(
        Worker, "torch_twin.py", settings, environment, settings["torch_python"]
    )


def has_library(library: str, settings: dict) -> bool:
    """Return whether the twin's library is installed; print the reason if not."""
    python, test = settings[f"{library}_python"], f"import numpy, {library}"
    found = subprocess.run([python, "-c", test], capture_output=True, check=False).returncode == 0
    if not found:
        print(f"no twin: `{python} -c '{test}'` fails (see --{library}_python)", file=sys.stderr)
    return found
