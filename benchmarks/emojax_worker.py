"""EmoJAX's worker: its network, training step, forward pass and front-end, on noise."""

from __future__ import annotations

import contextlib
import functools
import itertools
import tempfile
from collections.abc import Mapping
from pathlib import Path

import stand_in
import worker

from emojax.cpu import use_fast_allocator

use_fast_allocator()  # before jax is imported

import jax
import numpy as np
import traffic

from configs import base
from emojax.audio.log_mel import MELS, filters, frame_count
from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.config import Config, read_config
from emojax.data.batches import INT16_SCALE, Batch, waveforms
from emojax.data.feeds import AHEAD, HostFeed, fits, make_feed
from emojax.data.prepared import Clips, in_memory
from emojax.inference.network import make_forward, make_model
from emojax.models.cost import forward_flops
from emojax.sharding import check_batch_size, make_layout, place
from emojax.target import here
from emojax.training.metrics import Meter, counting_compile_s
from emojax.training.peak_flops import measured_flops_per_s
from emojax.training.round_robin import RoundRobin
from emojax.training.run import make_run


class Run:
    """Run on noise, with as many corpora as the settings say and clips as long as the window.

    Args:
      settings: settings of the worker.
      folder: an empty folder for clips on the disk; None for clips in memory.
    """

    def __init__(self, settings: dict, folder: Path | None = None) -> None:
        self.config = make_config(settings)
        self.window = int(settings["window_s"] * SAMPLE_RATE_HZ)
        noise = stand_in.noise(settings["corpora"], settings["batch_size"], self.window)
        self.train: Mapping[str, Clips] = stand_in.on_disk(noise, folder) if folder else noise
        self.layout = make_layout(count=settings.get("devices"))
        check_batch_size(self.config.train.batch_size, self.layout)
        put = functools.partial(place, sharding=self.layout.everywhere)
        on_device = fits(self.train) and not settings.get("on_host")
        self.feed = HostFeed(self.train) if folder else make_feed(self.train, on_device, put)
        manifest = {"corpora": {name: list(range(stand_in.CLASSES)) for name in self.train}}
        run = make_run(self.config, manifest, self.train, self.feed.batch, self.layout)
        self.model, self.step, self.forward, self.state = (
            run.model,
            run.step,
            run.forward,
            run.state,
        )

    @property
    def network(self) -> tuple:
        """Parameters, statistics and class mask of the first corpus."""
        corpus = next(iter(self.state.corpora.values()))
        return self.state.shared.params, corpus.params, corpus.stats, corpus.class_mask

    @property
    def batch(self) -> Batch:
        """Batch of all clips of the first corpus."""
        part = next(iter(self.train.values()))
        audio = np.stack(in_memory(part).samples) / np.float32(INT16_SCALE)
        return Batch(audio, part.lengths.astype(np.int32), part.labels)


def make_config(settings: dict) -> Config:
    """Make the config: the paper's training, changed by the settings."""
    own = {name: settings[name] for name in ("batch_size", "window_s", "width")}
    return read_config({**base.get_config().to_dict(), **own, **settings.get("config", {})})


def serve_training(settings: dict, compile_s: list[float]) -> None:
    """Serve training steps as in ``train.py``; at the end, measure the waiting for data."""
    with tempfile.TemporaryDirectory() as folder:
        _serve_training(
            Run(settings, Path(folder) if settings.get("on_disk") else None), settings, compile_s
        )


def _serve_training(run: Run, settings: dict, compile_s: list[float]) -> None:
    state = place(run.state, run.layout.everywhere)
    lengths = {name: part.lengths for name, part in run.train.items()}
    windows = dict.fromkeys(lengths, run.window)
    rounds = RoundRobin(run.config, lengths, run.feed, windows, run.step, run.layout, state, {})
    del state, run.state
    least_steps = settings.get("least_steps", 1) if run.layout.target.whole_rounds else 1

    def turn() -> int:
        steps = 0
        while steps < least_steps:
            numbers, _, losses = rounds.train(next(rounds.batches))
            steps += len(numbers)
        jax.block_until_ready(losses)
        return steps

    def finish() -> dict:
        return {**facts(compile_s), **memory(run.feed.data), **cost(run), **one_after_the_other()}

    def one_after_the_other() -> dict:
        meter = Meter(run.config.train.batch_size, {})
        for _ in range(AHEAD + 1):  # whose clips were prepared before
            turn()
        meter.start()
        for _ in range(settings["rounds"]):
            meter.add(*rounds.train(meter.waiting_for(rounds.batches)))
        measured = meter.flush()
        return {
            "running_step_s": measured["time/step_s"],
            "data_wait_share": measured["time/data_wait_share"],
        }

    with contextlib.closing(rounds):
        worker.serve(turn, finish)


def serve_inference(settings: dict, compile_s: list[float]) -> None:
    """Serve forward passes."""
    run = Run(settings)
    forward = make_forward(run.model)
    network, batch = (
        place(run.network, run.layout.everywhere),
        place(run.batch, run.layout.all_rows),
    )
    serve_repeated(lambda: forward(*network, batch), settings, compile_s)


def serve_front_end(settings: dict, compile_s: list[float]) -> None:
    """Serve the front-end: waveforms to standardised log-mel spectrograms."""
    run = Run(settings)
    batch, compiled = jax.device_put(run.batch), jax.jit(run.model.inputs)
    serve_repeated(lambda: compiled(waveforms(batch), batch.length), settings, compile_s)


def serve_repeated(function, settings: dict, compile_s: list[float]) -> None:
    """Serve calls of a function; on accelerators, a turn queues one call per corpus."""
    steps = settings["corpora"] if here().whole_rounds else 1

    def turn() -> int:
        jax.block_until_ready([function() for _ in range(steps)])
        return steps

    worker.serve(turn, lambda: facts(compile_s))


def serve_ceilings(settings: dict, compile_s: list[float]) -> None:
    """Serve large copies; at the end, report the peaks of memory and arithmetic."""
    copy, copied_bytes = traffic.make_copy()
    dtype = np.dtype(make_model(make_config(settings).network, stand_in.CLASSES).compute_dtype)

    def turn() -> int:
        copy()
        return 1

    worker.serve(
        turn,
        lambda: {
            **facts(compile_s),
            "copied_bytes": copied_bytes,
            "flops_per_s": measured_flops_per_s(dtype),
        },
    )


def facts(compile_s: list[float]) -> dict:
    """Return the device, versions and memory of the run."""
    device = jax.local_devices()[0]
    on_device = device.memory_stats()
    return {
        "compile_s": sum(compile_s),
        "peak_memory_mib": on_device["peak_bytes_in_use"] / 2**20
        if on_device
        else worker.peak_memory_mib(),
        "device": device.device_kind,
        "platform": device.platform,
        "devices": jax.device_count(),
        "version": f"jax {jax.__version__}",
    }


def memory(data) -> dict:
    """Return the MiB of the clips, and of all other arrays kept between steps."""
    data_bytes = sum(leaf.nbytes for leaf in jax.tree.leaves(data))
    live_bytes = sum(array.nbytes for array in jax.live_arrays())
    return {"data_mib": data_bytes / 2**20, "state_mib": (live_bytes - data_bytes) / 2**20}


def cost(run: Run) -> dict:
    """Return the operations and bytes of a training step; it costs three forward passes."""
    frames, batch_size = int(frame_count(run.window)), run.config.train.batch_size
    return {
        "flops": 3 * batch_size * forward_flops(run.model, run.window),
        "bytes": traffic.training_bytes(run.model, batch_size, frames, MELS),
    }


def export(settings: dict, _: list[float]) -> None:
    """Write a batch, EmoJAX's parameters and its logits, so that a twin can check its own."""
    run, random = Run(settings), np.random.default_rng(1)

    def perturbed(params):
        # Adapters start at zero and norms at one, where equal logits would prove little.
        return jax.tree.map(
            lambda leaf: leaf + 0.05 * random.standard_normal(leaf.shape, np.float32), params
        )

    shared, corpus, stats, class_mask = run.network
    shared, corpus = perturbed(shared), perturbed(corpus)
    leaves = itertools.chain(
        *(jax.tree_util.tree_leaves_with_path(params) for params in (shared, corpus))
    )
    np.savez(
        settings["exported"],
        audio=run.batch.audio,
        label=run.batch.label,
        class_weight=next(iter(run.state.corpora.values())).class_weight,
        mel_filters=filters(),
        logits=run.forward(shared, corpus, stats, class_mask, run.batch).logits,
        **{f"params/{'.'.join(key.key for key in keys)}": leaf for keys, leaf in leaves},
    )
    worker.serve(lambda: 1, dict)


JOBS = {
    "training": serve_training,
    "inference": serve_inference,
    "front_end": serve_front_end,
    "ceilings": serve_ceilings,
    "export": export,
}


def main() -> None:
    """Run the job named in the settings."""
    settings = worker.settings()
    with counting_compile_s() as compile_s:
        JOBS[settings["job"]](settings, compile_s)


if __name__ == "__main__":
    main()
