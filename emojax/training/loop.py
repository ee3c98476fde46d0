"""The training loop: steps, devel UAR, checkpoints, and going on where it was."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import jax
import ml_collections
import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.data.feeds import fits, make_feed
from emojax.data.turns import SYNCHRONOUS
from emojax.data.windows import choose_windows, work_padding_share
from emojax.files import replacing
from emojax.training.base_run import base_of, begin_at_base, with_network_of_base
from emojax.training.ceiling import step_floors_s
from emojax.training.compiling import counting_compile_s
from emojax.training.corpora import open_corpora
from emojax.training.devel import Devel, cut_devel, devel_uars
from emojax.training.devices import place
from emojax.training.keeper import Keeper
from emojax.training.meter import Meter
from emojax.training.not_finite import naming_clips
from emojax.training.processes import is_first, of_any_process
from emojax.training.profile import Profile
from emojax.training.progress import Progress
from emojax.training.rounds import RoundRobin
from emojax.training.run import PLACES_FILE, make_layout, make_manifest, make_model, make_run, most_classes
from emojax.training.state import EmoState
from emojax.training.steps import Forward
from emojax.training.transfer import FROZEN_TRUNK
from emojax.training.tuning import Tuning


def train(
    config: ml_collections.ConfigDict, workdir: str | Path, paths: Mapping[str, Path], profile: bool = False
) -> EmoState:
    """Train, or go on training; reads the train and devel parts only.

    The best state by mean devel UAR is kept in ``checkpoints/best``, the last one in ``checkpoints/latest``;
    a phase with a smaller learning rate begins at the best state.  Over a frozen trunk, each corpus has a
    best state of its own.  On a CPU, a resumed run ends bitwise where an uninterrupted one ends.

    Args:
      config: see ``configs/base.py``.
      workdir: of the run; made if it is not there.
      paths: corpus → prepared folder.
      profile: whether to write a trace of a few steps into ``profile``.

    Returns:
      The last state.

    Raises:
      ValueError: the folder holds a run with other settings (they are listed), the settings do not fit, or
        a prepared corpus is not what its table says, which may be seen as late as a clip is read.
      FloatingPointError: a loss is not finite; the message names corpus, step, clips and last checkpoint.
      KeyboardInterrupt: Ctrl-C, after the state is saved.
    """
    workdir = Path(workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    with _alone(workdir):
        return _train(config, workdir, paths, profile)


def _train(
    config: ml_collections.ConfigDict, workdir: Path, paths: Mapping[str, Path], profile: bool
) -> EmoState:
    config = with_network_of_base(config)
    corpora = open_corpora(paths, config.partition, config.seed, config.aggregate, config.label_words)
    train_part = {name: corpus.stored("train") for name, corpus in corpora.items()}
    lengths = {name: part.lengths for name, part in train_part.items()}
    windows = _windows(config, lengths)
    manifest = {**make_manifest(config, corpora), "windows_samples": windows, **base_of(config)}
    keeper = Keeper(workdir, manifest)
    if is_first():
        for name, corpus in corpora.items():
            print(f"{name}: {corpus.partition.protocol}", flush=True)
        _write_places(workdir, paths)
    layout = make_layout(config, len(corpora))
    on_device = not of_any_process(not fits(train_part))
    feed = make_feed(train_part, on_device, functools.partial(place, sharding=layout.everywhere))
    step, forward, state = make_run(config, manifest, train_part, feed.batch, layout)
    devel = cut_devel({name: corpus.load("devel") for name, corpus in corpora.items()}, layout)
    if config.base and not keeper.begun:
        state = begin_at_base(config, manifest, state)
    state, schedules = keeper.resume(place(state, layout.everywhere))
    model = make_model(config, most_classes(manifest))
    meter = Meter(config.batch_size, step_floors_s(model, lengths, windows, config.batch_size))
    kind = Tuning if config.transfer in FROZEN_TRUNK else RoundRobin
    rounds = kind(config, lengths, feed, windows, step, layout, state, schedules)
    del state  # the rounds have it
    traced = workdir / "profile" if profile and is_first() else None
    with (
        contextlib.closing(keeper),
        contextlib.closing(rounds),
        Progress(workdir, rounds.step, rounds.last_step, rounds.steps_per_round) as progress,
        naming_clips(workdir, corpora, rounds, keeper),
        Profile(traced, rounds.step, rounds.steps_per_round, meter.settle) as trace,
        counting_compile_s() as compile_s,
        _interruptible() as stopped,
    ):
        look = functools.partial(_look, rounds, forward, devel, keeper, progress)
        if rounds.first_look and not keeper.begun:
            look(rounds.first_look, {})
        meter.start()
        due: list[str] = []
        while not (rounds.done or _stops(stopped, bool(due))):
            meter.add(*rounds.train(meter.waiting_for(rounds.batches)))
            trace.advance(rounds.step)
            progress.advance(rounds.step, meter.speed())
            keeper.check()
            due = rounds.due()
            if due:
                look(due, {**meter.flush(), "time/compile_s": sum(compile_s)})
                meter.start()
        meter.settle()  # a state that is not finite must not take the place of a good one
        keeper.save(rounds.state, rounds.schedules)
    if not rounds.done:
        # Whoever waits for this process must see that the run is not at its end.
        raise KeyboardInterrupt(f"stopped at step {rounds.step}; the same command goes on from here")
    return rounds.state


def _windows(config: ml_collections.ConfigDict, lengths: Mapping[str, np.ndarray]) -> dict[str, int]:
    """The window of each corpus, samples; prints them, and how much of the work is padding."""
    choices = lengths
    if config.sampling == SYNCHRONOUS:  # side by side, so of one length
        # Each corpus counts the same, however many clips it has: it has as many in a step.
        alike = [np.quantile(own, np.linspace(0, 1, 101)) for own in lengths.values()]
        choices = dict.fromkeys(lengths, np.concatenate(alike))
    windows = choose_windows(choices, int(config.window_s * SAMPLE_RATE_HZ))
    if is_first():
        shown = ", ".join(f"{name} {window / SAMPLE_RATE_HZ:g}" for name, window in windows.items())
        share = work_padding_share(lengths, windows)
        print(f"windows in s: {shown}; {share:.0%} of the work is padding", flush=True)
    return windows


def _look(
    rounds: RoundRobin | Tuning,
    forward: Forward,
    devel: Mapping[str, Devel],
    keeper: Keeper,
    progress: Progress,
    names: Sequence[str],
    metrics: Mapping[str, float],
) -> None:
    """Score some corpora's devel parts, note it, and keep what is worth keeping."""
    state = rounds.state
    uars = devel_uars(forward, state, {name: devel[name] for name in names})
    verdict = rounds.judge(uars)
    shown = {f"devel_uar/{name}": uar for name, uar in uars.items()}
    if len(names) < len(devel):
        del shown["devel_uar/mean"]  # of some corpora, it says nothing beside the one of others
    # Before the checkpoint: a line without its state is dropped, a state without its line is not.
    progress.write(state.step, {**metrics, **shown, "devel_uar/best": rounds.best_uar})
    state = keeper.keep(state, rounds.schedules, verdict)
    if verdict.restarted:
        rounds.state = state


def _write_places(workdir: Path, paths: Mapping[str, Path]) -> None:
    """Note where the prepared corpora lie; evaluation looks there."""
    places = {name: str(path.absolute()) for name, path in paths.items()}
    with replacing(workdir / PLACES_FILE) as draft:
        draft.write_text(json.dumps(places, indent=1) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _alone(workdir: Path) -> Iterator[None]:
    """Two runs in one folder would delete each other's checkpoints."""
    with open(workdir / ".lock", "w") as lock:
        refused = False
        if is_first():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                refused = True
        if of_any_process(refused):
            raise ValueError(f"{workdir}: another process trains here; wait for it, or use another --workdir")
        yield


def _stops(stopped: list[int], looked: bool) -> bool:
    """Whether somebody asked to stop; several processes stop together, after a look, where they wait."""
    if jax.process_count() == 1:
        return bool(stopped)
    return looked and of_any_process(bool(stopped))


@contextlib.contextmanager
def _interruptible() -> Iterator[list[int]]:
    """The first Ctrl-C asks the loop to save and stop; the second waits for what is being written only."""
    stopped: list[int] = []

    def handle(number, _) -> None:
        stopped.append(number)
        signal.signal(signal.SIGINT, previous)

    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, previous)
