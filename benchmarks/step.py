"""Training step, inference and front-end, beside a PyTorch twin."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping

from interleaved import Worker, measure

WITHOUT_ALLOCATOR = {"EMOJAX_FAST_ALLOCATOR": "0"}
EMOJAX = {
    "emojax": ({}, {}),
    "emojax_plain": ({"adapters": False}, {}),
    "emojax_untuned": ({"fold_adapters": False, "fast_conv": "off"}, WITHOUT_ALLOCATOR),
}
COMPILED = "torch_compiled"  # needs a C++ compiler, or Triton
TORCH = {
    "torch": ("installed", WITHOUT_ALLOCATOR),
    "torch_tuned": ("tuned", {}),
    COMPILED: ("compiled", {}),
}


def measure_step(settings: dict) -> dict:
    """Training steps, then forward passes."""
    return _measure(settings, ("training", "inference"), EMOJAX, TORCH)


def measure_front_end(settings: dict) -> dict:
    """Waveforms to standardised log-mel spectrograms."""
    return _measure(settings, ("front_end",), ["emojax"], ["torch"])


def _measure(settings: dict, jobs, ours, theirs) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        settings = {**settings, "exported": f"{folder}/exported.npz"}
        if not _has_torch(settings["torch_python"]):
            theirs = []
        else:
            # Where the twin shows that it is one, both compute in f32.
            export = {**settings, "job": "export", "corpora": 1}
            with Worker("emojax_worker.py", export, {"JAX_PLATFORMS": "cpu"}) as worker:
                worker.end()
        report = {}
        for job in jobs:
            makers = _makers({**settings, "job": job}, ours, theirs)
            report[job] = measure(makers, settings["rounds"], optional=[COMPILED])
            for row in report[job].values():
                row["clips_per_s"] = settings["batch_size"] / row["step_s"]
        return report


def _makers(settings: dict, ours, theirs) -> Mapping[str, Callable[[], Worker]]:
    makers = {}
    for row in ours:
        config, environment = EMOJAX[row]
        own = {**settings, "config": config}
        makers[row] = functools.partial(Worker, "emojax_worker.py", own, environment)
    for row in theirs:
        twin, environment = TORCH[row]
        own = {**settings, "twin": twin}
        python = settings["torch_python"]
        makers[row] = functools.partial(Worker, "torch_twin.py", own, environment, python)
    return makers


def _has_torch(python: str) -> bool:
    """Whether there can be a twin; says why not."""
    test = "import numpy, torch"
    found = subprocess.run([python, "-c", test], capture_output=True, check=False).returncode == 0
    if not found:
        print(f"no twin: `{python} -c '{test}'` fails (see --torch_python)", file=sys.stderr)
    return found
