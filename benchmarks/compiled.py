"""Programs of a run compiled for TPUs and GPUs that are not there; nothing of them runs.

XLA needs the description of a chip, not the chip. ``libtpu`` has those of TPUs (``pip install
'emojax[tpu_compile]'``) and its compiler says what each operation is expected to take. Of GPUs they
are below; their compiler is that of ``pip install 'jax[cuda13]'``.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
from collections.abc import Mapping, Sequence
from unittest import mock

os.environ |= {
    "TPU_SKIP_MDS_QUERY": "1",  # this is no machine of the cloud
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",  # nobody's chips are taken
}

import jax
import jax.numpy as jnp
import numpy as np
import stand_in
from jax.experimental import topologies
from jax.sharding import Mesh, NamedSharding

from emojax import target
from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.config import Config
from emojax.data.batches import BUCKET_SAMPLES, Batch
from emojax.data.feeds import ROW_SAMPLES, Chunks, DeviceFeed, Store
from emojax.data.windows import choose_windows
from emojax.inference.network import make_forward
from emojax.sharding import Layout
from emojax.training.run import Run, make_run
from emojax.training.train_step import Plan, stack_corpora

Lowered = jax.stages.Lowered
PROGRAMS = ("round", "synchronous", "tune", "forward")
TUNED_ROUNDS = 4  # of one corpus, in a call
# What differs between these GPUs, in the names of XLA's GpuTargetConfig.
GPUS = {
    "H100": """
        core_count: 132 fpus_per_core: 128 clock_rate_ghz: 1.98 threads_per_core_limit: 2048
        shared_memory_per_core: 233472 shared_memory_per_block_optin: 232448
        l2_cache_size: 52428800 memory_bandwidth: 3352320000000 device_memory_size: 84978434048
        cuda_compute_capability { major: 9 minor: 0 }""",
    "T4": """
        core_count: 40 fpus_per_core: 64 clock_rate_ghz: 1.59 threads_per_core_limit: 1024
        shared_memory_per_core: 65536 shared_memory_per_block_optin: 65536
        l2_cache_size: 4194304 memory_bandwidth: 320000000000 device_memory_size: 15828320256
        cuda_compute_capability { major: 7 minor: 5 }""",
}
_ANY_GPU = """
    platform_name: "CUDA"
    dnn_version_info { major: 9 minor: 8 patch: 0 }
    runtime_version { major: 13 minor: 0 patch: 0 }
    gpu_device_info {
        threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
        block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
        registers_per_core_limit: 65536 registers_per_block_limit: 65536
"""


def tpu(name: str) -> Sequence[jax.Device]:
    """Return TPUs by their topology, such as ``v5e:1x1`` or ``v5e:2x2``."""
    return topologies.get_topology_desc(platform="tpu", topology_name=name).devices


def gpu(name: str) -> Sequence[jax.Device]:
    """Return one GPU of :data:`GPUS`."""
    shape = "1x1x1"
    described = {"topology": shape, "target_config": f"{_ANY_GPU}{GPUS[name]} }}"}
    # JAX takes CUDA for a platform only where it has such a device.
    with mock.patch("jax._src.xla_bridge.canonicalize_platform", return_value="cuda"):
        found = topologies.get_topology_desc(platform="cuda", topology_name=shape, **described)
    return found.devices


@dataclasses.dataclass(frozen=True)
class Programs:
    """Programs of a run on EmoSet's stand-in, lowered for given devices.

    Attributes:
      config: settings of the run.
      devices: what to compile for.
      corpora: number of corpora.
      windows: number of crop lengths, the shortest first; each has a loop of its own in a round.
      changes: fields of the :class:`emojax.target.Target` that differ from what is chosen.
    """

    config: Config
    devices: Sequence[jax.Device]
    corpora: int = 26
    windows: int = 3
    changes: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def lower(self, name: str) -> Lowered:
        """Lower one of :data:`PROGRAMS`."""
        chosen = dataclasses.replace(target.target_of(self.devices[0]), **self.changes)
        with mock.patch("emojax.sharding.target_of", return_value=chosen):
            return getattr(self, f"_{name}")()

    def _round(self) -> Lowered:
        layout = self._layout(1)
        run, groups = self._run(layout), self._groups()
        args = self._round_arguments(run, groups, layout)
        return run.step.lower(*args, windows=tuple(groups))

    def _synchronous(self) -> Lowered:
        layout = self._layout(math.gcd(self.corpora, len(self.devices)))
        config = self.config.replace(sampling="synchronous")
        run = dataclasses.replace(self, config=config)._run(layout)
        groups = {self._longest: list(self._clips()[0])}
        args = self._round_arguments(run, groups, layout)
        return run.step.lower(*args, windows=tuple(groups))

    def _tune(self) -> Lowered:
        layout = self._layout(1)
        config = self.config.replace(transfer="adapters", base="a base")
        run = dataclasses.replace(self, config=config)._run(layout)
        groups = {self._longest: list(self._clips()[0])[:1]}
        args = self._round_arguments(run, groups, layout, TUNED_ROUNDS)
        return run.step.lower(*args, windows=tuple(groups))

    def _forward(self) -> Lowered:
        layout = self._layout(1)
        run = self._run(layout)
        corpus = next(iter(run.state.corpora.values()))
        network = run.state.shared.params, corpus.params, corpus.stats, corpus.class_mask
        size = self.config.train.batch_size
        samples = BUCKET_SAMPLES * math.ceil(self._longest / BUCKET_SAMPLES)
        batch = Batch(np.zeros((size, samples), np.int16), *np.zeros((2, size), np.int32))
        return make_forward(run.model).lower(
            *placed(network, layout.everywhere), placed(batch, layout.all_rows)
        )

    @property
    def _longest(self) -> int:
        return int(self.config.train.window_s * SAMPLE_RATE_HZ)

    def _layout(self, corpus_axis: int) -> Layout:
        devices = np.array(self.devices).reshape(corpus_axis, -1)
        return Layout(Mesh(devices, ("corpus", "batch")))

    def _clips(self) -> tuple[dict, dict[str, int]]:
        train, classes = stand_in.emoset(1.0, "train")
        names = list(train)[: self.corpora]
        return {name: train[name] for name in names}, {name: classes[name] for name in names}

    def _run(self, layout: Layout) -> Run:
        train, classes = self._clips()
        manifest = {"corpora": {name: list(range(count)) for name, count in classes.items()}}
        return make_run(self.config, manifest, train, DeviceFeed.batch, layout)

    def _groups(self) -> dict[int, list[str]]:
        """Return the corpora of each crop length."""
        lengths = {name: part.lengths for name, part in self._clips()[0].items()}
        windows = choose_windows(lengths, self._longest)
        grouped = itertools.groupby(sorted(windows, key=windows.__getitem__), windows.__getitem__)
        return dict(
            itertools.islice(((window, list(own)) for window, own in grouped), self.windows)
        )

    def _round_arguments(
        self, run: Run, groups: Mapping[int, list[str]], layout: Layout, rounds: int = 1
    ) -> tuple:
        stacks = [
            placed(
                jax.eval_shape(stack_corpora, [run.state.corpora[name] for name in own]),
                layout.corpora,
            )
            for own in groups.values()
        ]
        steps = [len(own) * rounds for own in groups.values()]
        plans = [self._plan(count, layout) for count in steps]
        rates = [np.zeros(count, np.float32) for count in steps]
        shared, rates = placed((run.state.shared, rates), layout.everywhere)
        return shared, stacks, self._store(layout), plans, rates

    def _plan(self, steps: int, layout: Layout) -> Plan:
        numbers = placed(np.zeros(steps, np.int32), layout.everywhere)
        return Plan(numbers, numbers, self._rows(steps, layout))

    def _rows(self, steps: int, layout: Layout) -> Chunks:
        numbers = np.zeros((2, steps, self.config.train.batch_size), np.int32)
        return placed(Chunks(*numbers), layout.rows)

    def _store(self, layout: Layout) -> Store:
        lengths = np.concatenate([part.lengths for part in self._clips()[0].values()])
        rows = int((-(-lengths // ROW_SAMPLES)).sum())
        samples = jax.ShapeDtypeStruct((rows, ROW_SAMPLES), jnp.int16)
        numbers = jax.ShapeDtypeStruct(lengths.shape, jnp.int32)
        return placed(Store(samples, *[numbers] * 3), layout.everywhere)


def placed(tree, sharding: NamedSharding):
    """Return the shapes and dtypes of a tree, on devices."""
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), tree
    )


def donated(lowered: Lowered, compiled: jax.stages.Compiled) -> bool:
    """Return whether the compiled program writes all that it was given into its results."""
    given = sum(info.donated for info in jax.tree.leaves(lowered.args_info))
    header = compiled.as_text().split("\n", 1)[0]
    return header.count("-alias)") == given > 0


def argument_bytes(lowered: Lowered) -> int:
    """Return the bytes of all arguments, as if they lay on one device."""
    return sum(map(_bytes, jax.tree.leaves(lowered.args_info)))


def _bytes(info) -> int:
    return math.prod(info.shape) * np.dtype(info.dtype).itemsize


def peak_bytes(compiled: jax.stages.Compiled) -> int:
    """Return the bytes that a device holds at most, by the compiler's own plan."""
    plan = compiled.memory_analysis()
    return (
        plan.argument_size_in_bytes
        + plan.output_size_in_bytes
        - plan.alias_size_in_bytes
        + plan.temp_size_in_bytes
        + plan.generated_code_size_in_bytes
    )
