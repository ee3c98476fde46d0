"""The paper-sized run on noise: 26 corpora with Table 1's counts of clips and classes and mean durations."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from interleaved import ENVIRONMENT, HERE


def measure_emoset(settings: dict) -> dict:
    """Some rounds of it, and how long all of them would take."""
    command = [sys.executable, str(HERE / "emoset_worker.py"), json.dumps(settings)]
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit("emoset failed; what it said is above")
    return json.loads(done.stdout)
