"""Stacked corpora with one vector per corpus, which a GPU reads and writes in a few launches.

A corpus has about fifty small arrays; each array would need a launch to read and one to write.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from emojax.training.train_state import Corpus

TRAINED = ("params", "stats", "opt_state", "average")
Tree = TypeVar("Tree")


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class FlatCorpora:
    """Stack of G corpora.

    Attributes:
      trained: f32 ``[G, n]``, the fields ``TRAINED`` of each; integers are exact up to 2²⁴.
      fixed: stack of the other fields.
      unravel: function that makes the fields from a row of ``trained``.
    """

    trained: jax.Array
    fixed: Corpus
    unravel: Callable[[jax.Array], dict] = dataclasses.field(metadata={"static": True})


def flatten(stack: Corpus) -> FlatCorpora:
    """Concatenate the trained arrays of each corpus of a stack to one vector."""
    nothing: dict[str, Any] = dict.fromkeys(TRAINED)
    fixed = dataclasses.replace(stack, **nothing)
    _, unravel = ravel_pytree(_transposed(_trained(index(stack, 0))))
    return FlatCorpora(jax.vmap(_ravel)(stack), fixed, lambda row: _transposed(unravel(row)))


def stacked(corpora: Corpus | FlatCorpora) -> Corpus:
    """Return the stack of corpora; the inverse of :func:`flatten`."""
    if isinstance(corpora, Corpus):
        return corpora
    return dataclasses.replace(corpora.fixed, **jax.vmap(corpora.unravel)(corpora.trained))


def take(corpora: Corpus | FlatCorpora, number: jax.Array | np.ndarray) -> Corpus:
    """Return one corpus of a stack."""
    if isinstance(corpora, Corpus):
        return index(corpora, number)
    return dataclasses.replace(
        index(corpora.fixed, number), **corpora.unravel(corpora.trained[number])
    )


def put(
    corpora: Corpus | FlatCorpora, corpus: Corpus, number: jax.Array | np.ndarray
) -> Corpus | FlatCorpora:
    """Replace one corpus of a stack."""
    set_ = functools.partial(jax.lax.dynamic_update_index_in_dim, index=number, axis=0)
    if isinstance(corpora, Corpus):
        return jax.tree.map(set_, corpora, corpus)
    return dataclasses.replace(corpora, trained=set_(corpora.trained, _ravel(corpus)))


def _trained(corpus: Corpus) -> dict:
    return {name: getattr(corpus, name) for name in TRAINED}


def _ravel(corpus: Corpus) -> jax.Array:
    return ravel_pytree(_transposed(_trained(corpus)))[0]


def _transposed(tree: Tree) -> Tree:
    """Transpose all leaves, because cuDNN has the output channels of a kernel first.

    An adapter is added to a kernel. In another order, each adapter and its gradient would need a
    launch to transpose it.
    """
    return jax.tree.map(jnp.transpose, tree)


def index(stack: Tree, number: jax.Array | np.ndarray | int) -> Tree:
    """Return one item of a pytree whose leaves have a first axis of items."""
    return jax.tree.map(operator.itemgetter(number), stack)
