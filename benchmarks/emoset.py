"""Benchmark of a paper-sized run on noise: 26 corpora with the sizes of the paper's Table 1."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from interleaved import ENVIRONMENT, HERE


def measure_emoset(settings: dict) -> dict:
    """Measure some rounds, and extrapolate to the whole run."""
    command = [sys.executable, str(HERE / "emoset_worker.py"), json.dumps(settings)]
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit("emoset failed; what it said is above")
    return json.loads(done.stdout)
