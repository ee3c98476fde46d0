"""Start-up time: imports, and the first step with and without cached programs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from statistics import median

from interleaved import HERE, Worker
from tqdm import trange

IMPORTS = ("pass", "import numpy", "import jax", "import emojax", "import emojax.inference.api")
REPEATS = 3


def measure_start(settings: dict) -> dict:
    """Measure the median seconds from the start of a process, with all kinds in turn."""
    times_s: dict[str, list[float]] = defaultdict(list)
    for _ in trange(REPEATS, unit="round", leave=False):
        for statement in IMPORTS:
            begin_s = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], cwd=HERE.parent, check=True)
            times_s[statement].append(time.perf_counter() - begin_s)
        with tempfile.TemporaryDirectory() as cache:
            for temperature in ("cold", "warm"):
                times_s[f"first training step, {temperature} cache"].append(
                    _first_step_s(settings, cache)
                )
    return {f"{what}, s": median(times) for what, times in times_s.items()}


def _first_step_s(settings: dict, cache: str) -> float:
    environment = {"JAX_ENABLE_COMPILATION_CACHE": "true", "JAX_COMPILATION_CACHE_DIR": cache}
    with Worker("emojax_worker.py", {**settings, "job": "training"}, environment) as worker:
        return worker.ready_s
