"""Worker for rounds and evaluations on a stand-in of EmoSet, as in ``train.py``."""

from __future__ import annotations

import contextlib
import functools
import tempfile
import time
from pathlib import Path
from statistics import fmean

import emojax_worker
import psutil
import stand_in
import worker
from budget import PAPER_WINDOW_S
from tqdm import tqdm

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.data.feeds import fits, make_feed
from emojax.data.windows import choose_windows, work_padding_share
from emojax.sharding import place
from emojax.training.checkpointing import SAVE_EVERY_S, CheckpointKeeper
from emojax.training.metrics import Meter, counting_compile_s
from emojax.training.peak_flops import step_floors_s
from emojax.training.round_robin import RoundRobin
from emojax.training.run import make_layout, make_run
from emojax.training.schedule import EvalDecision
from emojax.training.validation import devel_uars, make_devel

SPEEDS = ("clips_per_s", "peak_share", "data_wait_share")


class EmoSet:
    """Run on the stand-in, and the time of its parts."""

    def __init__(self, settings: dict, workdir: Path) -> None:
        self.config = emojax_worker.make_config(settings)
        train, classes = stand_in.emoset(settings["scale"], "train")
        devel, _ = stand_in.emoset(settings["scale"], "devel")
        manifest = {"corpora": {name: list(range(count)) for name, count in classes.items()}}
        layout = make_layout(self.config, len(train))
        feed = make_feed(train, fits(train), functools.partial(place, sharding=layout.everywhere))
        run = make_run(self.config, manifest, train, feed.batch, layout)
        self.forward, state = run.forward, place(run.state, layout.everywhere)
        lengths = {name: part.lengths for name, part in train.items()}
        windows = choose_windows(lengths, int(self.config.train.window_s * SAMPLE_RATE_HZ))
        batch_size = self.config.train.batch_size
        self.meter = Meter(batch_size, step_floors_s(run.model, lengths, windows, batch_size))
        self.rounds = RoundRobin(self.config, lengths, feed, windows, run.step, layout, state, {})
        del state, run  # the rounds hold it
        self.facts = {
            "feed": type(feed).__name__,
            "clips": sum(map(len, train.values())),
            "hours": sum(own.sum() for own in lengths.values()) / SAMPLE_RATE_HZ / 3600,
            "padding_share": work_padding_share(lengths, windows),
            **emojax_worker.memory(feed.data),
        }
        self.devel = make_devel(devel, layout)
        self.keeper = CheckpointKeeper(workdir, {**manifest, "config": {}})

    def round(self) -> None:
        """Start one round; the device may still be running it."""
        before = self.rounds.step
        while self.rounds.step < before + self.rounds.steps_per_round:
            self.meter.add(*self.rounds.train(self.meter.waiting_for(self.rounds.batches)))

    def evaluate(self) -> float:
        """Evaluate on devel; return the seconds."""
        begin_s = time.perf_counter()
        devel_uars(self.forward, self.rounds.state, self.devel)
        return time.perf_counter() - begin_s

    def save(self) -> float:
        """Save the state as latest and best; return the seconds that training would wait."""
        state, begin_s = self.rounds.state, time.perf_counter()
        names = [*state.corpora]
        self.keeper.keep(state, {}, EvalDecision(names, names), dict.fromkeys(names, 0.5))
        self.keeper.flush()
        return time.perf_counter() - begin_s


def measure(run: EmoSet, rounds: int, compile_s: list[float]) -> dict:
    """Measure rounds, evaluations and a checkpoint, after a warm-up that compiles."""
    setup_s = time.time() - psutil.Process().create_time()
    schedule, begin_s = run.config.schedule, time.perf_counter()
    run.round()
    run.meter.settle()
    compile_rounds_s = sum(compile_s)  # including set-up
    run.evaluate()
    first_s = time.perf_counter() - begin_s
    run.save()
    run.keeper.last_saved()  # writing slows training down; do not measure that
    trained_s, evaluations_s, speeds = 0.0, [], []
    with tqdm(total=rounds, unit="round") as bar:
        while bar.n < rounds:
            run.meter.start()
            since_s = time.perf_counter()
            for _ in range(min(schedule.eval_every_rounds, rounds - bar.n)):
                run.round()
                bar.update()
            speeds.append(run.meter.flush())
            trained_s += time.perf_counter() - since_s
            evaluations_s.append(run.evaluate())
    phases = len(schedule.learning_rates)
    paper_rounds = phases * schedule.rounds_per_phase
    evaluations = paper_rounds // schedule.eval_every_rounds
    unsaved_s = (
        setup_s + first_s + paper_rounds * trained_s / rounds + evaluations * fmean(evaluations_s)
    )
    save_s = run.save()
    return {
        "rounds": rounds,
        "measured_s": time.perf_counter() - begin_s,
        "setup_s": setup_s,
        "first_round_and_evaluation_s": first_s,
        "compile_rounds_s": compile_rounds_s,
        "round_s": trained_s / rounds,
        "evaluation_s": fmean(evaluations_s),
        "paper_rounds": paper_rounds,
        "checkpoint_s": save_s,
        "paper_run_s": unsaved_s + save_s * (phases + unsaved_s / SAVE_EVERY_S),
        **_means(speeds),
        **run.facts,
        **emojax_worker.facts(compile_s),
    }


def _means(speeds: list[dict[str, float]]) -> dict[str, float]:
    """Average each speed over the rounds that measured it."""
    found = {
        name: [own[f"time/{name}"] for own in speeds if f"time/{name}" in own] for name in SPEEDS
    }
    return {name: fmean(values) for name, values in found.items() if values}


def main() -> None:
    """Measure the number of rounds in the settings."""
    settings = worker.settings()
    with tempfile.TemporaryDirectory() as workdir, counting_compile_s() as compile_s:
        run = EmoSet({**settings, "window_s": PAPER_WINDOW_S}, Path(workdir))
        with contextlib.closing(run.rounds), contextlib.closing(run.keeper):
            worker.answer(measure(run, settings["rounds"], compile_s))


if __name__ == "__main__":
    main()
