"""The training loop: steps, evaluation on devel, checkpoints and resuming."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.config import Config
from emojax.data.feeds import fits
from emojax.data.partitioned import open_corpora, write_paths
from emojax.data.partitioned_corpus import PartitionedCorpus
from emojax.data.prepared import all_in_memory
from emojax.data.sampling_schedule import SYNCHRONOUS
from emojax.data.windows import choose_windows, work_padding_share
from emojax.inference.network import Forward
from emojax.multihost import is_first, on_all_processes, on_any_process
from emojax.sharding import place
from emojax.training.averages import averaged
from emojax.training.calibrating import calibrate, read_reference
from emojax.training.checkpointing import CheckpointKeeper
from emojax.training.driver import make_driver
from emojax.training.metric_writer import MetricWriter
from emojax.training.metrics import Meter, counting_compile_s
from emojax.training.nan_guard import naming_clips
from emojax.training.peak_flops import step_floors_s
from emojax.training.profile import Profile
from emojax.training.round_robin import RoundRobin
from emojax.training.run import make_layout, make_manifest
from emojax.training.schedule import Schedule
from emojax.training.train_state import EmoState
from emojax.training.transfer import base_of, begin_at_base, with_network_of_base
from emojax.training.validation import Devel, devel_uars, make_devel


def train(
    config: Config, workdir: str | Path, paths: Mapping[str, Path], profile: bool = False
) -> EmoState:
    """Train a run, or resume it; read the train and devel parts only.

    A checkpoint holds the state with the best mean devel UAR as ``best`` and the last state as
    ``latest``; without a devel part, the last state is both. If the run has averaged weights, they
    are evaluated, and they replace the weights in ``best``. A new phase of the learning rate begins
    at the best state. Over a frozen trunk, each corpus has its own best state. On a CPU, a resumed
    run ends with the same bits as an uninterrupted one.

    Args:
      config: settings from :func:`emojax.config.read_config`.
      workdir: the run's folder; created if missing.
      paths: corpus → its prepared folder.
      profile: whether to write a trace of a few steps into ``profile``.

    Returns:
      The last state.

    Raises:
      ValueError: the folder holds a run with other settings (they are listed), settings contradict
        each other, or a prepared corpus does not match its table; some of its clips are checked
        only when they are read.
      FloatingPointError: a loss or a number of the network is not finite; the message names the
        last checkpoint and, for a loss, corpus, step and clips.
      KeyboardInterrupt: Ctrl-C, after the state is saved.
    """
    workdir = Path(workdir).expanduser()
    workdir.mkdir(parents=True, exist_ok=True)
    with _alone(workdir):
        return _train(config, workdir, paths, profile)


def _train(config: Config, workdir: Path, paths: Mapping[str, Path], profile: bool) -> EmoState:
    config = with_network_of_base(config)
    corpora = open_corpora(paths, **vars(config.data))
    reference = read_reference(config, [*corpora])
    train_part = {name: corpus.stored("train") for name, corpus in corpora.items()}
    lengths = {name: part.lengths for name, part in train_part.items()}
    windows = _windows(config, lengths)
    manifest = {**make_manifest(config, corpora), "windows_samples": windows, **base_of(config)}
    keeper = CheckpointKeeper(workdir, manifest)
    if is_first():
        for name, corpus in corpora.items():
            print(f"{name}: {corpus.partition.protocol}{_numbers_note(corpus)}", flush=True)
        write_paths(workdir, paths)
    layout = make_layout(config, len(corpora))

    def begin(new: EmoState) -> tuple[EmoState, Mapping[str, Schedule]]:
        state = new if keeper.begun else begin_at_base(config, manifest, new)
        return keeper.resume(place(state, layout.everywhere))

    on_device = on_all_processes(fits(train_part))
    run, driver = make_driver(config, manifest, train_part, windows, layout, begin, on_device)
    developed = {name: one for name, one in corpora.items() if len(one.partition.parts["devel"])}
    heard = all_in_memory({name: one.stored("devel") for name, one in developed.items()})
    devel = make_devel(heard, layout)
    batch_size = config.train.batch_size
    meter = Meter(batch_size, step_floors_s(run.model, lengths, windows, batch_size))
    traced = workdir / "profile" if profile and is_first() else None
    with (
        contextlib.closing(keeper),
        contextlib.closing(driver),
        MetricWriter(workdir, driver.step, driver.last_step, driver.steps_per_round) as writer,
        naming_clips(workdir, corpora, driver.clips_of, keeper),
        Profile(traced, driver.step, driver.steps_per_round, meter.settle) as trace,
    ):
        evaluate = functools.partial(_evaluate, driver, run.forward, devel, keeper, writer)
        if not keeper.begun and driver.first_evaluation:
            evaluate(driver.first_evaluation, {})
        _loop(driver, meter, trace, writer, keeper, evaluate)
    if not driver.done:
        # The exit status must show that the run is not finished.
        raise KeyboardInterrupt(
            f"stopped at step {driver.step}; the same command goes on from here"
        )
    calibrate(workdir, run.forward, keeper.best, train_part, devel, windows, reference)
    return driver.state


def _loop(
    driver: RoundRobin,
    meter: Meter,
    trace: Profile,
    writer: MetricWriter,
    keeper: CheckpointKeeper,
    evaluate: Callable[[Sequence[str], Mapping[str, float]], None],
) -> None:
    """Train until the driver is done or a signal stops it, then save the state."""
    with counting_compile_s() as compile_s, _interruptible() as stopped:
        meter.start()
        due: list[str] = []
        while not (driver.done or _stops(stopped, bool(due))):
            meter.add(*driver.train(meter.waiting_for(driver.batches)))
            trace.advance(driver.step)
            writer.advance(driver.step, meter.speed())
            keeper.check()
            due = driver.due()
            if due:
                evaluate(due, {**meter.flush(), "time/compile_s": sum(compile_s)})
                meter.start()
        meter.settle()  # a state that is not finite must not replace a good one
        keeper.save(driver.state, driver.schedules.progress)


def _evaluate(
    driver: RoundRobin,
    forward: Forward,
    devel: Mapping[str, Devel],
    keeper: CheckpointKeeper,
    writer: MetricWriter,
    names: Sequence[str],
    metrics: Mapping[str, float],
) -> None:
    """Evaluate some corpora on devel, write the scores, and update the checkpoints."""
    state = driver.state
    own = {name: devel[name] for name in names if name in devel}
    uars = devel_uars(forward, averaged(state), own)
    decision = driver.decide(names, uars)
    shown = {f"devel_{devel[name].measure}/{name}": uar for name, uar in uars.items()}
    if uars and len(uars) == len(devel):  # means over different corpora cannot be compared
        shown["devel_uar/mean"] = float(np.mean([*uars.values()]))
    best = driver.schedules.best_uar
    shown |= {} if best is None else {"devel_uar/best": best}
    # Metrics first: on resume, a line without a checkpoint is dropped; a missing one is lost.
    writer.write(state.step, {**metrics, **shown})
    state = keeper.keep(state, driver.schedules.progress, decision, uars)
    if decision.restarted:
        driver.state = state


def _numbers_note(corpus: PartitionedCorpus) -> str:
    """Describe a domain of numbers, and its score; empty for a domain with labels."""
    if corpus.units is None:
        return ""
    return f"; numbers: {', '.join(corpus.labels)}; the mean of their CCC takes the place of UAR"


def _windows(config: Config, lengths: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Choose each corpus's window, in samples; print the windows and the share of padding."""
    choices = lengths
    if config.train.sampling == SYNCHRONOUS:  # one window for all corpora
        # Quantiles, since all corpora have equally many clips in a step, whatever their size.
        alike = [np.quantile(own, np.linspace(0, 1, 101)) for own in lengths.values()]
        choices = dict.fromkeys(lengths, np.concatenate(alike))
    windows = choose_windows(choices, int(config.train.window_s * SAMPLE_RATE_HZ))
    if is_first():
        shown = ", ".join(f"{name} {window / SAMPLE_RATE_HZ:g}" for name, window in windows.items())
        share = work_padding_share(lengths, windows)
        print(f"windows in s: {shown}; {share:.0%} of the work is padding", flush=True)
    return windows


@contextlib.contextmanager
def _alone(workdir: Path) -> Iterator[None]:
    """Lock the folder: two runs in one folder would delete each other's checkpoints."""
    with open(workdir / ".lock", "w") as lock:
        refused = False
        if is_first():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                refused = True
        if on_any_process(refused):
            raise ValueError(
                f"{workdir}: another process trains here; wait for it, or use another --workdir"
            )
        yield


def _stops(stopped: list[int], evaluated: bool) -> bool:
    """Return whether to stop; several processes stop together, after an evaluation."""
    if jax.process_count() == 1:
        return bool(stopped)
    return evaluated and on_any_process(bool(stopped))


@contextlib.contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Make the first Ctrl-C or SIGTERM save and stop; a second one ends the process at once."""
    stopped: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number, _) -> None:
        stopped.append(number)
        restore()

    for number in before:
        signal.signal(number, handle)
    try:
        yield stopped
    finally:
        restore()
