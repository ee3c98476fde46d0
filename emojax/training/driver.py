"""Driver of a run: the object that takes its steps, from an initial state and a feed of clips."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from emojax.config import Config
from emojax.data.feeds import make_feed
from emojax.data.prepared import Clips
from emojax.sharding import Layout, place
from emojax.training.round_robin import RoundRobin
from emojax.training.run import Run, make_run
from emojax.training.schedule import Schedule
from emojax.training.train_state import EmoState

# New state → the state to start or resume from, and the progress of its schedules.
Begin = Callable[[EmoState], tuple[EmoState, Mapping[str, Schedule]]]


def make_driver(
    config: Config,
    manifest: Mapping,
    train: Mapping[str, Clips],
    windows: Mapping[str, int],
    layout: Layout,
    begin: Begin,
    on_device: bool,
) -> tuple[Run, RoundRobin]:
    """Make a run and its driver.

    Args:
      config: settings of the run.
      manifest: its labels, as in :func:`emojax.training.run.make_manifest`.
      train: corpus → its training part.
      windows: corpus → largest number of samples of a training crop, silence cut off.
      layout: the layout of the devices.
      begin: function that replaces a new state by the state to start or resume from.
      on_device: keep the clips on the devices.
    """
    feed = make_feed(train, on_device, functools.partial(place, sharding=layout.everywhere))
    run = make_run(config, manifest, train, feed.batch, layout)
    state, progress = begin(run.state)
    lengths = {name: part.lengths for name, part in train.items()}
    read = {name: run.model.windows_read * window for name, window in windows.items()}
    strata = {name: part.strata for name, part in train.items()}
    return run, RoundRobin(config, lengths, feed, read, run.step, layout, state, progress, strata)
