"""EmoJAX: one shared network over many corpora of emotional speech, with a small adapter set per corpus.

``emojax.load(workdir, corpus=...)`` gives a trained model, ``emojax.log_mel(samples)`` the front-end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["load", "log_mel"]

if TYPE_CHECKING:
    from emojax.inference import load, log_mel


def __getattr__(name: str):
    # Importing emojax loads nothing, so that a script can choose its allocator before jax starts.
    if name in __all__:
        from emojax import inference

        return getattr(inference, name)
    raise AttributeError(f"module 'emojax' has no attribute {name!r}")
