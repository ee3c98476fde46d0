"""The training loop: round-robin over the corpora, devel UAR, checkpoints, and going on where it was."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import jax
import ml_collections
import numpy as np
from sklearn.metrics import recall_score

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.data.batches import Batch
from emojax.data.prepared import Recordings
from emojax.data.sampling import prefetched, training_batches
from emojax.data.turns import corpus_weights
from emojax.files import replacing
from emojax.training import devices
from emojax.training.base_run import begin_at_base, with_network_of_base
from emojax.training.corpora import open_corpora
from emojax.training.keeper import Keeper
from emojax.training.predict import Network, predict_clips
from emojax.training.progress import Progress
from emojax.training.run import PLACES_FILE, make_manifest, make_run
from emojax.training.state import Corpus, EmoState
from emojax.training.steps import Forward, TrainStep


def train(config: ml_collections.ConfigDict, workdir: str | Path, paths: Mapping[str, Path]) -> EmoState:
    """Train, or go on training; reads the train and devel parts only.

    The best state by mean devel UAR is kept in ``checkpoints/best``, the last one in ``checkpoints/latest``;
    a phase with a smaller learning rate begins at the best state.  A resumed run ends bitwise where an
    uninterrupted one ends.

    Args:
      config: see ``configs/base.py``.
      workdir: of the run; made if it is not there.
      paths: corpus → prepared folder.

    Returns:
      The last state.

    Raises:
      ValueError: the folder holds a run with other settings (they are listed), or the settings do not fit.
      FloatingPointError: a loss is not finite; the message names the corpus.
      KeyboardInterrupt: Ctrl-C, after the state is saved.
    """
    workdir = Path(workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    with _alone(workdir):
        return _train(config, workdir, paths)


def _train(config: ml_collections.ConfigDict, workdir: Path, paths: Mapping[str, Path]) -> EmoState:
    config = with_network_of_base(config)
    corpora = open_corpora(paths, config.partition, config.seed, config.aggregate, config.label_words)
    sizes = {name: len(corpus.partition.parts["train"]) for name, corpus in corpora.items()}
    weights = corpus_weights(config.sampling, sizes)
    manifest = make_manifest(config, corpora)
    keeper = Keeper(workdir, manifest)
    for name, corpus in corpora.items():
        print(f"{name}: {corpus.partition.protocol}", flush=True)
    _write_places(workdir, paths)
    train_part = {name: corpus.load("train") for name, corpus in corpora.items()}
    devel_part = {name: corpus.load("devel") for name, corpus in corpora.items()}
    train_step, forward, state = make_run(config, manifest, train_part)
    if config.base and not keeper.begun:
        state = begin_at_base(config, manifest, state)
    state = keeper.resume(devices.replicate(state))
    steps = _Steps(
        config.eval_every_rounds, config.rounds_per_phase, len(config.learning_rates), len(corpora)
    )
    window_samples = int(config.window_s * SAMPLE_RATE_HZ)
    batches = prefetched(
        training_batches(train_part, config.batch_size, window_samples, config.seed, state.step, weights),
        lambda item: (item[0], devices.shard(item[1])),
    )
    meter = _Meter()
    with (
        contextlib.closing(keeper),
        contextlib.closing(batches),
        Progress(workdir, state.step, steps.last, len(corpora)) as progress,
        _interruptible() as stopped,
    ):
        while state.step < steps.last and not stopped:
            name, batch = meter.waiting_for(batches)
            state, loss = advance(train_step, state, name, batch)
            meter.add(name, loss)
            progress.advance(state.step)
            if steps.evaluates_at(state.step):
                metrics = meter.flush(state.step)
                uars = devel_uars(forward, state, devel_part)
                metrics |= {f"devel_uar/{name}": uar for name, uar in uars.items()}
                metrics["devel_uar/best"] = max(keeper.best_uar, uars["mean"])
                # Before the checkpoint: a line without its state is dropped, a state without its line is not.
                progress.write(state.step, metrics)
                state = keeper.keep(state, uars, begins_phase=steps.begins_phase_at(state.step))
                meter.start()
        keeper.save_latest(state)
    if stopped:
        # Whoever waits for this process must see that the run is not at its end.
        raise KeyboardInterrupt(
            f"stopped at step {state.step} of {steps.last}; the same command goes on from here"
        )
    return state


def _write_places(workdir: Path, paths: Mapping[str, Path]) -> None:
    """Note where the prepared corpora lie; evaluation looks there."""
    places = {name: str(path.absolute()) for name, path in paths.items()}
    with replacing(workdir / PLACES_FILE) as draft:
        draft.write_text(json.dumps(places, indent=1) + "\n", encoding="utf-8")


def devel_uars(forward: Forward, state: EmoState, devel: Mapping[str, Recordings]) -> dict[str, float]:
    """UAR of each corpus on its devel part, and their ``"mean"``."""
    uars = {}
    for name, part in devel.items():
        network = network_of(state.shared.params, state.corpora[name])
        probabilities, _ = predict_clips(forward, network, part.samples)
        if not np.isfinite(probabilities).all():
            raise FloatingPointError(
                f"the network of {name} gives probabilities that are not finite; the checkpoints before are "
                "kept; train again in another --workdir with smaller --config.learning_rates"
            )
        spoken = np.unique(part.labels)
        uars[name] = float(
            recall_score(
                part.labels, probabilities.argmax(axis=1), labels=spoken, average="macro", zero_division=0
            )
        )
    return {**uars, "mean": float(np.mean(list(uars.values())))}


def network_of(shared_params, corpus: Corpus) -> Network:
    """What prediction needs of a state."""
    return Network(shared_params, corpus.params, corpus.stats, corpus.class_mask)


def advance(train_step: TrainStep, state: EmoState, name: str, batch: Batch) -> tuple[EmoState, jax.Array]:
    """One step on one corpus; gives the next state and the loss. The old state's arrays are donated."""
    shared, corpus, loss = train_step(state.shared, state.corpora[name], batch, state.step)
    return EmoState(shared, {**state.corpora, name: corpus}, state.step + 1), loss


@dataclasses.dataclass(frozen=True)
class _Steps:
    """When what happens; everything is counted in rounds, so that no corpus is ever a step ahead."""

    eval_every_rounds: int
    rounds_per_phase: int
    phases: int
    corpora: int

    @property
    def last(self) -> int:
        return self.rounds_per_phase * self.phases * self.corpora

    def evaluates_at(self, step: int) -> bool:
        round_, rest = divmod(step, self.corpora)
        ends_phase = round_ % self.rounds_per_phase == 0
        return rest == 0 and (round_ % self.eval_every_rounds == 0 or ends_phase)

    def begins_phase_at(self, step: int) -> bool:
        return step < self.last and step % (self.rounds_per_phase * self.corpora) == 0


class _Meter:
    """Losses of each corpus and the share of time spent waiting for data, between two evaluations."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self._losses: dict[str, list[jax.Array]] = defaultdict(list)
        self._waited_s = 0.0
        self._since_s = time.perf_counter()

    def waiting_for(self, batches: Iterator[tuple[str, Batch]]) -> tuple[str, Batch]:
        begin_s = time.perf_counter()
        item = next(batches)
        self._waited_s += time.perf_counter() - begin_s
        return item

    def add(self, name: str, loss: jax.Array) -> None:
        self._losses[name].append(loss)

    def flush(self, step: int) -> dict[str, float]:
        losses = {name: float(np.mean(jax.device_get(values))) for name, values in self._losses.items()}
        broken = [name for name, loss in losses.items() if not np.isfinite(loss)]
        if broken:
            raise FloatingPointError(
                f"the loss of {', '.join(broken)} is not finite near step {step}; the checkpoints before "
                "it are kept; train again in another --workdir with smaller --config.learning_rates"
            )
        elapsed_s = time.perf_counter() - self._since_s
        steps = sum(len(values) for values in self._losses.values())
        return {
            **{f"loss/{name}": loss for name, loss in losses.items()},
            "loss/mean": float(np.mean(list(losses.values()))),
            "time/step_s": elapsed_s / steps,
            "time/data_wait_share": self._waited_s / elapsed_s,
        }


@contextlib.contextmanager
def _alone(workdir: Path) -> Iterator[None]:
    """Two runs in one folder would delete each other's checkpoints."""
    with open(workdir / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"{workdir}: another process trains here; wait for it, or use another --workdir"
            ) from None
        yield


@contextlib.contextmanager
def _interruptible() -> Iterator[list[int]]:
    """The first Ctrl-C asks the loop to save and stop; the second one stops at once."""
    stopped: list[int] = []

    def handle(number, _) -> None:
        stopped.append(number)
        signal.signal(signal.SIGINT, previous)

    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, previous)
