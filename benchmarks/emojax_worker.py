"""EmoJAX's side of ``step_time.py``: its own network, training step and input pipeline, on noise."""

from __future__ import annotations

import itertools
import time

import worker

from emojax.cpu import use_fast_allocator

if worker.settings()["tuned"]:
    use_fast_allocator()  # before jax

import jax
import librosa
import numpy as np

from configs import base
from emojax.audio.log_mel import MELS, WINDOW_SAMPLES
from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.data.batches import INT16_SCALE, Batch
from emojax.data.prepared import Recordings
from emojax.data.sampling import prefetched, training_batches
from emojax.training import devices
from emojax.training.run import make_run

CORPUS = "noise"
CLASSES = 7


def main() -> None:
    """One of three jobs: to serve training steps, to serve inference, or to write what the twin needs."""
    settings = worker.settings()
    window_samples = int(settings["window_s"] * SAMPLE_RATE_HZ)
    recordings = noise(settings["batch_size"], window_samples)
    train_step, forward, state = make_run(
        make_config(settings), {"corpora": {CORPUS: list(range(CLASSES))}}, {CORPUS: recordings}
    )
    audio = np.stack(recordings.samples) / np.float32(INT16_SCALE)
    batch = Batch(audio, np.full(len(audio), window_samples, np.int32), recordings.labels)
    if settings["job"] == "export":
        export(settings["exported"], forward, state, batch)
    elif settings["job"] == "inference":
        serve_inference(forward, state, batch)
    else:
        serve_training(train_step, state, batch, recordings, settings)


def noise(clips: int, samples: int) -> Recordings:
    """Recordings that exercise everything and mean nothing."""
    random = np.random.default_rng(0)
    audio = random.normal(scale=3000, size=(clips, samples)).astype(np.int16)
    return Recordings(list(audio), random.integers(CLASSES, size=clips).astype(np.int32))


def make_config(settings: dict):
    """The paper's network; untuned means: with every measure for speed switched off."""
    config = base.get_config()
    config.batch_size, config.window_s = settings["batch_size"], settings["window_s"]
    if not settings["tuned"]:
        config.fold_adapters, config.fast_conv = False, "off"
    return config


def serve_inference(forward, state, batch: Batch) -> None:
    """Serve forward passes."""
    corpus = state.corpora[CORPUS]
    inputs = state.shared.params, corpus.params, corpus.stats, corpus.class_mask, batch
    program, compile_s = compiled(forward, *inputs)
    worker.serve(lambda: jax.block_until_ready(program(*inputs)), lambda: {"compile_s": compile_s, **facts()})


def serve_training(train_step, state, batch: Batch, recordings: Recordings, settings: dict) -> None:
    """Serve training steps; at the end train from the input pipeline for a while."""
    shared, corpus = state.shared, state.corpora[CORPUS]
    program, compile_s = compiled(train_step, shared, corpus, batch, 0, 0.1)

    def step(function=program, batch=batch):
        nonlocal shared, corpus
        shared, corpus, _ = jax.block_until_ready(function(shared, corpus, batch, 0, 0.1))

    def finish():
        peak = facts()
        share = data_wait_share(lambda batch: step(train_step, batch), recordings, settings)
        return {"compile_s": compile_s, "data_wait_share": share, **peak}

    worker.serve(step, finish)


def data_wait_share(step, recordings: Recordings, settings: dict) -> float:
    """Share of the time of successive steps that goes into waiting for their batches."""
    window_samples = int(settings["window_s"] * SAMPLE_RATE_HZ)
    batches = prefetched(
        training_batches({CORPUS: recordings}, settings["batch_size"], window_samples, seed=0, first_step=0),
        lambda item: devices.shard(item[1]),
    )
    step(next(batches))  # compiles, if the pipeline pads
    begin_s, waited_s = time.perf_counter(), 0.0
    for _ in range(settings["rounds"]):
        asked_s = time.perf_counter()
        batch = next(batches)
        waited_s += time.perf_counter() - asked_s
        step(batch)
    batches.close()
    return waited_s / (time.perf_counter() - begin_s)


def compiled(function, *inputs):
    """The compiled function, and the seconds that it took to get there."""
    begin_s = time.perf_counter()
    return function.lower(*inputs).compile(), time.perf_counter() - begin_s


def facts() -> dict:
    """What ran where."""
    device = jax.local_devices()[0]
    on_device = device.memory_stats()
    return {
        "peak_memory_mib": on_device["peak_bytes_in_use"] / 2**20 if on_device else worker.peak_memory_mib(),
        "device": device.platform,
        "version": f"jax {jax.__version__}",
    }


def export(path: str, forward, state, batch: Batch) -> None:
    """Write one batch, our parameters and the logits they give, so that the twin can show that it is one."""
    random = np.random.default_rng(1)

    def perturbed(params):
        # Adapters start at zero, and norms at one: equal logits there would say little.
        return jax.tree.map(lambda leaf: leaf + 0.05 * random.standard_normal(leaf.shape, np.float32), params)

    corpus = state.corpora[CORPUS]
    shared_params, corpus_params = perturbed(state.shared.params), perturbed(corpus.params)
    output = forward(shared_params, corpus_params, corpus.stats, corpus.class_mask, batch)
    leaves = itertools.chain(
        *(jax.tree_util.tree_leaves_with_path(p) for p in (shared_params, corpus_params))
    )
    np.savez(
        path,
        audio=batch.audio,
        label=batch.label,
        class_weight=corpus.class_weight,
        mel_filters=librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=WINDOW_SAMPLES, n_mels=MELS).T,
        logits=output.logits,
        **{f"params/{'.'.join(key.key for key in keys)}": leaf for keys, leaf in leaves},
    )


if __name__ == "__main__":
    main()
