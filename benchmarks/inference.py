"""Benchmark of answers to recordings: EmoJAX, its ONNX export in onnxruntime, the PyTorch twin."""

from __future__ import annotations

import functools
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from statistics import median

from interleaved import Worker, measure
from step import TORCH, has_library
from tqdm import trange

REPEATS = 3
TWINS = ("torch", "torch_tuned")


def measure_inference(settings: dict) -> dict:
    """Measure one clip, many clips, and the time from the start of a process to an answer."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {**settings, "folder": folder}
        with Worker("emojax_answers.py", {**settings, "job": "export"}) as worker:
            worker.end()
        makers = _makers(settings)
        report: dict = {"cold_start_s": _cold_start_s(makers)}
        for what, clips in (("one_clip", 1), ("clips", settings["clips"])):
            rows = {row: functools.partial(make, clips) for row, make in makers.items()}
            report[what] = measure(rows, settings["rounds"])
            for row in report[what].values():
                row["clips_per_s"] = clips / row["step_s"]
        return report


def _makers(settings: dict) -> Mapping[str, Callable[[int], Worker]]:
    """Return a function for each row that makes its worker for a number of clips."""
    cache = {"JAX_ENABLE_COMPILATION_CACHE": "true", "XDG_CACHE_HOME": settings["folder"]}

    def maker(script: str, environment: Mapping, python: str | None = None, **own: str):
        how = {"python": python} if python else {}
        return lambda clips: Worker(script, {**settings, **own, "clips": clips}, environment, **how)

    makers = {
        "emojax": maker("emojax_answers.py", cache, job="answers"),
        "onnxruntime": maker("onnx_answers.py", {}),
    }
    if has_library("torch", settings):
        for row in TWINS:
            twin, environment = TORCH[row]
            python = settings["torch_python"]
            makers[row] = maker("torch_answers.py", environment, python, twin=twin)
    return makers


def _cold_start_s(makers: Mapping[str, Callable[[int], Worker]]) -> dict[str, float]:
    """Measure the median seconds to the first answer, with compiled programs on disk."""
    times_s: dict[str, list[float]] = defaultdict(list)
    with makers["emojax"](1):
        pass  # it leaves its compiled programs
    for _ in trange(REPEATS, unit="round", leave=False):
        for row, make in makers.items():
            with make(1) as worker:
                times_s[row].append(worker.ready_s)
    return {row: median(times) for row, times in times_s.items()}
