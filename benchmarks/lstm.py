"""Benchmark of CNN and LSTM, and of its LSTM alone, beside the same in PyTorch."""

from __future__ import annotations

import functools
import tempfile

from interleaved import Worker, measure
from step import has_library

PARTS = ("lstm", "network")
JOBS = ("training", "inference")


def measure_lstm(settings: dict) -> dict:
    """Measure training steps and forward passes of both parts; part → job → rows."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {**settings, "exported": f"{folder}/exported.npz"}
        twin = has_library("torch", settings)
        if twin:
            with Worker("emojax_lstm.py", {**settings, "job": "export"}) as worker:
                worker.end()
        report: dict[str, dict] = {}
        for part in PARTS:
            report[part] = {}
            for job in JOBS:
                own = {**settings, "part": part, "job": job}
                makers = {"emojax": functools.partial(Worker, "emojax_lstm.py", own)}
                if twin:
                    python = settings["torch_python"]
                    makers["torch"] = functools.partial(Worker, "torch_lstm.py", own, {}, python)
                report[part][job] = measure(makers, settings["rounds"])
        return report
