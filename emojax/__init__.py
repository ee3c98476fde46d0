"""EmoJAX: one shared network for many corpora of emotional speech, with adapters per corpus.

``emojax.load(name_or_path)`` loads a trained model; ``emojax.log_mel(samples)`` computes the
front-end's features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["Model", "load", "log_mel"]

if TYPE_CHECKING:
    from emojax.inference.api import Model, load, log_mel

    __version__: str


def __getattr__(name: str):
    # Importing emojax does not import jax, so a script can first choose its allocator.
    if name in __all__:
        from emojax.inference import api

        return getattr(api, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("emojax")
    raise AttributeError(f"module 'emojax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
