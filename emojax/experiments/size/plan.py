"""Plan of the experiment: a shared network of each size on each fold of all corpora."""

from __future__ import annotations

import itertools
import pkgutil
from collections.abc import Iterator, Sequence

from emojax.config import NETWORKS
from emojax.corpora.aggregate import CORPORA
from emojax.experiments.launch.job import Job
from emojax.experiments.launch.launch import count_tested
from emojax.experiments.launch.plan import shared_job
from emojax.experiments.launch.spec import Spec, read_config_file
from emojax.models.adapter_resnet import AdapterResNet


def parse_numbers(flag: str, items: Sequence[str]) -> list[int]:
    """Return the widths or depths of a flag, in the order given.

    Raises:
      ValueError: there is no number, a text is not a whole number of 1 or more, or one is repeated.

    >>> parse_numbers("widths", ["8", "16"])
    [8, 16]
    """
    numbers = [int(item) for item in items if item.isdecimal()]
    if not items or len(numbers) < len(items) or min(numbers) < 1:
        wrong = "give whole numbers from 1 on"
    elif len({*numbers}) < len(numbers):
        wrong = "give each number once"
    else:
        return numbers
    raise ValueError(f"--{flag}={','.join(items)}; {wrong}, as in --{flag}=1,2")


def setting_of(width: int, depth: int) -> str:
    """Return the setting of a size.

    >>> setting_of(16, 2)
    'width 16, depth 2'
    """
    return f"width {width}, depth {depth}"


def size_jobs(
    spec: Spec, widths: Sequence[int], depths: Sequence[int], folds: int
) -> Iterator[Job]:
    """Yield a shared network for each seed, size and fold; it prepares the corpora.

    Args:
      spec: what a person asks for.
      widths: channels of the first convolution.
      depths: residual blocks per stack.
      folds: K of ``fold:I/K``; fold I of every corpus is left out of network I.

    Raises:
      ValueError: the network of the config has no width and depth, or those of a trained model; a
        number is too large; or a corpus cannot be prepared or divided.
    """
    _check_config(spec, widths, depths)
    tested = count_tested(spec, f"fold:{folds}")
    sizes = itertools.product(widths, depths)
    for seed, (width, depth) in itertools.product(spec.seeds, sizes):
        states = {"best": setting_of(width, depth)}
        how = {"width": width, "depth": depth, "domains": CORPORA}
        for fold in range(1, max(tested.values()) + 1):
            partition = f"fold:{fold}/{folds}"
            folder = f"size/width{width}_depth{depth}"
            yield shared_job(spec, folder, states, seed, partition=partition, **how)


def _check_config(spec: Spec, widths: Sequence[int], depths: Sequence[int]) -> None:
    """Refuse a config whose network cannot be of these sizes."""
    config = read_config_file(spec.config)
    sized = [name for name in NETWORKS if _is_sized(name)]
    if config.network.network not in sized:
        raise ValueError(
            f"{spec.config} has network={config.network.network!r}, which has no width and depth; "
            f"give a --config with the network {' or '.join(sized)}"
        )
    if config.transfer.base:
        raise ValueError(
            f"{spec.config} has base={config.transfer.base!r}, which has a size already; give a "
            "--config without a base"
        )
    config.replace(width=max(widths), depth=max(depths))


def _is_sized(name: str) -> bool:
    return issubclass(pkgutil.resolve_name(NETWORKS[name]), AdapterResNet)
