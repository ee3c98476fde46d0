"""EmoJAX's rounds on a stand-in of EmoSet, with looks at devel, as ``train.py`` has them."""

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
from emojax.training.ceiling import step_floors_s
from emojax.training.compiling import counting_compile_s
from emojax.training.devel import cut_devel, devel_uars
from emojax.training.devices import place
from emojax.training.keeper import SAVE_EVERY_S, Keeper
from emojax.training.meter import Meter
from emojax.training.rounds import RoundRobin, Verdict
from emojax.training.run import make_layout, make_model, make_run, most_classes

SPEEDS = ("clips_per_s", "ceiling_share", "data_wait_share")


class EmoSet:
    """The run, and how long its parts take."""

    def __init__(self, settings: dict, workdir: Path) -> None:
        self.config = emojax_worker.make_config(settings)
        train, classes = stand_in.emoset(settings["scale"], "train")
        devel, _ = stand_in.emoset(settings["scale"], "devel")
        manifest = {"corpora": {name: list(range(count)) for name, count in classes.items()}}
        layout = make_layout(self.config, len(train))
        feed = make_feed(train, fits(train), functools.partial(place, sharding=layout.everywhere))
        step, self.forward, state = make_run(self.config, manifest, train, feed.batch, layout)
        state = place(state, layout.everywhere)
        lengths = {name: part.lengths for name, part in train.items()}
        windows = choose_windows(lengths, int(self.config.window_s * SAMPLE_RATE_HZ))
        model = make_model(self.config, most_classes(manifest))
        floors_s = step_floors_s(model, lengths, windows, self.config.batch_size)
        self.meter = Meter(self.config.batch_size, floors_s)
        self.rounds = RoundRobin(self.config, lengths, feed, windows, step, layout, state, {})
        del state  # the rounds have it
        self.facts = {
            "feed": type(feed).__name__,
            "clips": sum(map(len, train.values())),
            "hours": sum(own.sum() for own in lengths.values()) / SAMPLE_RATE_HZ / 3600,
            "padding_share": work_padding_share(lengths, windows),
            **emojax_worker.memory(feed.data),
        }
        self.devel, self.keeper = cut_devel(devel, layout), Keeper(workdir, manifest)

    def round(self) -> None:
        """One round, under way."""
        before = self.rounds.step
        while self.rounds.step < before + self.rounds.steps_per_round:
            self.meter.add(*self.rounds.train(self.meter.waiting_for(self.rounds.batches)))

    def look(self) -> float:
        """Look at devel; gives the seconds that it took."""
        begin_s = time.perf_counter()
        devel_uars(self.forward, self.rounds.state, self.devel)
        return time.perf_counter() - begin_s

    def save(self) -> float:
        """Save the state as the best one, and to go on from; gives the seconds that training would wait."""
        state, begin_s = self.rounds.state, time.perf_counter()
        names = [*state.corpora]
        self.keeper.keep(state, {}, Verdict(names, names, {}))
        return time.perf_counter() - begin_s


def measure(run: EmoSet, rounds: int, compile_s: list[float]) -> dict:
    """Rounds and looks as often as the config has them, after one of each that compiles; a checkpoint."""
    setup_s = time.time() - psutil.Process().create_time()
    config, begin_s = run.config, time.perf_counter()
    run.round()
    run.meter.settle()
    compile_rounds_s = sum(compile_s)  # setting up included
    run.look()
    first_s = time.perf_counter() - begin_s
    run.save()
    run.keeper.last_saved()  # what writes it takes from training is not counted
    trained_s, looks_s, speeds = 0.0, [], []
    with tqdm(total=rounds, unit="round") as bar:
        while bar.n < rounds:
            run.meter.start()
            since_s = time.perf_counter()
            for _ in range(min(config.eval_every_rounds, rounds - bar.n)):
                run.round()
                bar.update()
            speeds.append(run.meter.flush())
            trained_s += time.perf_counter() - since_s
            looks_s.append(run.look())
    phases = len(config.learning_rates)
    paper_rounds = phases * config.rounds_per_phase
    looks = paper_rounds // config.eval_every_rounds
    unsaved_s = setup_s + first_s + paper_rounds * trained_s / rounds + looks * fmean(looks_s)
    save_s = run.save()
    return {
        "rounds": rounds,
        "measured_s": time.perf_counter() - begin_s,
        "setup_s": setup_s,
        "first_round_and_look_s": first_s,
        "compile_rounds_s": compile_rounds_s,
        "round_s": trained_s / rounds,
        "look_at_devel_s": fmean(looks_s),
        "paper_rounds": paper_rounds,
        "checkpoint_s": save_s,
        "paper_run_s": unsaved_s + save_s * (phases + unsaved_s / SAVE_EVERY_S),
        **{name: fmean(speed[f"time/{name}"] for speed in speeds) for name in SPEEDS},
        **run.facts,
        **emojax_worker.facts(compile_s),
    }


def main() -> None:
    """Measure as many rounds as the settings say."""
    settings = worker.settings()
    with tempfile.TemporaryDirectory() as workdir, counting_compile_s() as compile_s:
        run = EmoSet({**settings, "window_s": PAPER_WINDOW_S}, Path(workdir))
        with contextlib.closing(run.rounds), contextlib.closing(run.keeper):
            worker.answer(measure(run, settings["rounds"], compile_s))


if __name__ == "__main__":
    main()
