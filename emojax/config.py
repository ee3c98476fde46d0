"""Settings of a run as frozen dataclasses, checked once, from a flat config or a manifest."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Container, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from emojax.audio.reading import MIN_DURATION_S
from emojax.corpora.affect import EMOTIONS, parse_mapping
from emojax.corpora.aggregate import CHOICES, are_domains
from emojax.corpora.columns import parse_columns
from emojax.data.sampling_schedule import ROUND_ROBIN, check_sampling

Section = TypeVar("Section")

SCRATCH = "scratch"
# Parameters that each mode trains; all others keep the values of the base run.
MODES = {
    SCRATCH: "everything, from random parameters",
    "finetune": "everything",
    "adapters": "adapters, norms and head of each corpus",
    "norms": "norms and head of each corpus",
    "last_layer": "the head of each corpus",
}
FROZEN_TRUNK = ("adapters", "norms", "last_layer")


# Networks by name, and their classes.
NETWORKS = {
    "adapter_resnet": "emojax.models.adapter_resnet:AdapterResNet",
    "cnn_lstm": "emojax.models.cnn_lstm:CnnLstm",
    "fusion": "emojax.models.fusion:Fusion",
}
RESNET = "adapter_resnet"


@dataclasses.dataclass(frozen=True)
class _Allowed:
    """Allowed values of a setting: a description and a test."""

    words: str
    test: Callable[[Any], bool]


def _whole(low: int, high: int) -> _Allowed:
    return _Allowed(f"a whole number from {low} to {high:,}", lambda value: low <= value <= high)


def _one_of(*choices: str) -> _Allowed:
    return _Allowed(f"one of {', '.join(choices)}", choices.__contains__)


_ANY = _Allowed("a text", lambda _: True)
_NOT_NEGATIVE = _Allowed("a number of at least 0", lambda value: 0 <= value < math.inf)
_SHARE = _Allowed("a number from 0 up to, but not including, 1", lambda value: 0 <= value < 1)
_RATES = _Allowed(
    "a rate greater than 0 for every phase, such as (0.1, 0.01, 0.001)",
    lambda rates: bool(rates) and all(0 < rate < math.inf for rate in rates),
)
_MODE = _Allowed(
    "one of " + ", ".join(f"{mode} (trains {what})" for mode, what in MODES.items()),
    MODES.__contains__,
)
_DOMAINS = _Allowed(
    f"one of {', '.join(CHOICES)}, or emotion:WORD,WORD with two or more of {', '.join(EMOTIONS)}, "
    "each once, which may stand after corpora+ too",
    are_domains,
)
_WINDOW = _Allowed(f"from {MIN_DURATION_S} to 60 s", lambda value: MIN_DURATION_S <= value <= 60)

# Settings of :func:`emojax.audio.augment.augment`.
AUGMENTATIONS = (
    "frequency_warp",
    "tempo",
    "colour_db",
    "noise_share",
    "telephone",
    "masked_mels",
    "masked_share",
)
# Augmentations of each network with a log-mel input. Tempo would make the log-mel of a fusion
# longer or shorter than its waveform.
_AUGMENTATIONS_OF = {
    RESNET: AUGMENTATIONS,
    "fusion": tuple(name for name in AUGMENTATIONS if name != "tempo"),
}

Text = Annotated[str, _ANY]
Flag = Annotated[bool, _Allowed("True or False", lambda _: True)]
Count = Annotated[int, _whole(1, 10**9)]
Size = Annotated[int, _whole(1, 4096)]
NotNegative = Annotated[float, _NOT_NEGATIVE]
Share = Annotated[float, _SHARE]


@dataclasses.dataclass(frozen=True)
class PathConfig:
    """Paths of the corpora; a run can resume with other paths."""

    corpora: Text
    source_dir: Text
    data_dir: Text
    allow_bad: Flag


@dataclasses.dataclass(frozen=True)
class CalibrationConfig:
    """Run that calibrates the answers of this one; a run can resume with another one."""

    calibrated_by: Text


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Partition and labels: the arguments of ``open_corpora``."""

    partition: Text
    seed: Annotated[int, _whole(0, 2**32 - 1)]
    domains: Annotated[str, _DOMAINS]
    label_words: Text
    refit: Flag
    balance_speakers: Flag = False
    columns: Text = ""


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """Settings of the network for :func:`emojax.inference.network.make_model`."""

    width: Size
    depth: Annotated[int, _whole(1, 64)]
    adapters: Flag
    attention_units: Size
    attention_smoothing: NotNegative
    shared_attention: Flag
    head_units: Size
    dropout: Share
    fold_adapters: Flag
    fast_conv: Annotated[str, _one_of("auto", "on", "off")]
    precision: Annotated[str, _one_of("auto", "f32", "bf16", "f16")]
    attention_deviation: Flag = False
    pitch_channels: Flag = False
    trim_db: NotNegative = 0.0
    network: Annotated[str, _one_of(*NETWORKS)] = RESNET
    conv_features: Size = 128
    conv_samples: Size = 64
    conv_stride: Size = 16
    conv_steps: Size = 8
    pool: Size = 4
    recurrence: Annotated[str, _one_of("halves", "directions", "none")] = "halves"
    lstm_units: Size = 500
    dense_units: Size = 1000
    adapter_rank: Size = 8


@dataclasses.dataclass(frozen=True)
class TransferConfig:
    """Initial parameters, and the trained ones; ``mode`` is the setting ``transfer``."""

    mode: Annotated[str, _MODE]
    base: Text
    base_corpus: Text
    frozen_layers: Text = ""
    new_layers: Text = ""

    @property
    def frozen_trunk(self) -> bool:
        """True when the shared subtree is not trained."""
        return self.mode in FROZEN_TRUNK


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Settings of the training step: batches, optimizer, loss and augmentation."""

    sampling: Text
    batch_size: Count
    window_s: Annotated[float, _WINDOW]
    momentum: Share
    l2: NotNegative
    label_smoothing: Share
    frequency_warp: Share
    tempo: Share
    colour_db: NotNegative
    noise_share: Share
    masked_mels: NotNegative
    masked_share: Share
    optimizer: Annotated[str, _one_of("momentum", "adadelta")] = "momentum"
    mixup: NotNegative = 0.0
    average_decay: Share = 0.0
    telephone: Share = 0.0


@dataclasses.dataclass(frozen=True)
class ScheduleConfig:
    """Settings of the schedule of the learning rate and of the end of training."""

    learning_rates: Annotated[tuple[float, ...], _RATES]
    rounds_per_phase: Count
    patience_epochs: Annotated[int, _whole(0, 10**9)]
    learning_rate_decay: NotNegative
    cosine: Flag
    warmup_rounds: Annotated[int, _whole(0, 10**9)]
    eval_every_rounds: Count


@dataclasses.dataclass(frozen=True)
class Config:
    """Settings of a run; :func:`read_config` makes them."""

    paths: PathConfig
    calibration: CalibrationConfig
    data: DataConfig
    network: NetworkConfig
    transfer: TransferConfig
    train: TrainConfig
    schedule: ScheduleConfig

    def flat(self) -> dict[str, Any]:
        """Return the settings by name, as JSON types."""
        return {
            _flat_name(name): list(value) if isinstance(value, tuple) else value
            for section in vars(self).values()
            for name, value in vars(section).items()
        }

    def replace(self, **settings: Any) -> Config:
        """Return the settings with some of them changed, checked again; see :func:`read_config`."""
        return read_config({**self.flat(), **settings})


PATH_KEYS = tuple(
    field.name
    for section in (PathConfig, CalibrationConfig)
    for field in dataclasses.fields(section)
)


def read_config(settings: Mapping[str, Any]) -> Config:
    """Read and check the settings of a flat config (``configs/``).

    Raises:
      ValueError: a setting is missing or unknown, or has a wrong type or value; the message has its
        name, the given value and the allowed ones.
    """
    types = get_type_hints(Config)
    known = {
        _flat_name(field.name)
        for section in types.values()
        for field in dataclasses.fields(section)
    }
    for name in settings:
        _check_known(name, known)
    config = Config(**{name: read_section(section, settings) for name, section in types.items()})
    _check_together(config)
    return config


def read_section(section: type[Section], settings: Mapping[str, Any]) -> Section:
    """Read one section of the settings: ``read_section(NetworkConfig, manifest["config"])``.

    A setting with a default may be missing.

    Raises:
      ValueError: as :func:`read_config`.

    >>> settings = {"partition": "default", "seed": -1, "domains": "corpora",
    ...     "label_words": "", "refit": False}
    >>> read_section(DataConfig, settings)
    Traceback (most recent call last):
    ValueError: seed=-1; give a whole number from 0 to 4,294,967,295: --config.seed=...
    """
    hints = get_type_hints(section, include_extras=True)
    given = {
        name: _checked(_flat_name(name), hint, settings)
        for name, hint in hints.items()
        if name in settings or not hasattr(section, name)
    }
    return section(**given)


_REMOVED = {"tuned_at_once": 1}  # setting of older runs → the value that means today's behaviour


def completed(manifest: Mapping) -> dict[str, Any]:
    """Add missing settings to a manifest, and to those of its bases, at their defaults.

    A removed setting is left out if its value means today's behaviour.

    >>> completed({"config": {"width": 16}})["config"]["average_decay"]
    0.0
    """
    defaults = {
        field.name: field.default
        for section in get_type_hints(Config).values()
        for field in dataclasses.fields(section)
        if field.default is not dataclasses.MISSING
    }
    given = manifest["config"].items()
    own = {name: value for name, value in given if _REMOVED.get(name, ...) != value}
    base = manifest.get("base")
    return {
        **manifest,
        "config": {**defaults, **own},
        **({"base": completed(base)} if base else {}),
    }


def _flat_name(name: str) -> str:
    return "transfer" if name == "mode" else name


def _check_known(name: str, known: Container[str]) -> None:
    if name not in known:
        raise ValueError(f"there is no setting {name}; configs/base.py has them all")


def _checked(name: str, hint: Any, settings: Mapping[str, Any]) -> Any:
    """Return the value of a setting if it is allowed, else raise a ValueError."""
    _check_known(name, settings)
    kind, allowed = get_args(hint)
    value = settings[name]
    if not (_is(value, kind) and allowed.test(value)):
        raise ValueError(f"{name}={value!r}; give {allowed.words}: --config.{name}=...")
    return tuple(value) if get_origin(kind) is tuple else value


def _is(value: Any, kind: Any) -> bool:
    """Return whether a value has a type; 1 counts as a float, True is no number."""
    if get_origin(kind) is tuple:
        return isinstance(value, (tuple, list)) and all(_is(item, float) for item in value)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is kind


def _check_together(config: Config) -> None:
    """Raise a ValueError for settings that contradict each other."""
    check_sampling(config.train.sampling)
    for name, parse in (("label_words", parse_mapping), ("columns", parse_columns)):
        try:
            parse(getattr(config.data, name))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    transfer = config.transfer
    if transfer.mode == SCRATCH and transfer.base:
        raise ValueError(
            f"base={transfer.base!r} with transfer='scratch'; "
            "choose finetune, adapters, norms or last_layer"
        )
    if transfer.mode != SCRATCH and not transfer.base:
        raise ValueError(
            f"transfer={transfer.mode!r} needs the folder of a trained run: --config.base=WORKDIR"
        )
    if transfer.frozen_trunk and config.train.sampling != ROUND_ROBIN:
        raise ValueError(
            f"sampling={config.train.sampling!r} with transfer={transfer.mode!r}, which trains "
            f"every corpus by itself; leave it at {ROUND_ROBIN}"
        )
    if transfer.mode != "finetune" and (transfer.frozen_layers or transfer.new_layers):
        raise ValueError(
            f"frozen_layers and new_layers with transfer={transfer.mode!r}; they need "
            "--config.transfer=finetune"
        )
    _check_augmentation(config)
    _check_front_end(config.network)
    if transfer.mode == "adapters" and not config.network.adapters:
        raise ValueError("transfer='adapters' with adapters=False; give --config.adapters=True")


def _check_front_end(network: NetworkConfig) -> None:
    """Raise a ValueError for settings of the log-mel that the network does not have."""
    given = {"pitch_channels": network.pitch_channels, "trim_db": network.trim_db}
    for name, value in given.items():
        if value and network.network != RESNET:
            raise ValueError(
                f"{name}={value} with network={network.network!r}: only {RESNET} has it; give "
                f"--config.{name}={type(value)()}"
            )


def _check_augmentation(config: Config) -> None:
    """Raise a ValueError for augmentation that the network does not have."""
    network = config.network.network
    allowed = _AUGMENTATIONS_OF.get(network, ())
    used = [name for name in AUGMENTATIONS if getattr(config.train, name) and name not in allowed]
    if used:
        raise ValueError(
            f"{', '.join(used)} with network={network!r}, which can have "
            f"{', '.join(allowed) or 'no augmentation'}; leave them at 0"
        )
