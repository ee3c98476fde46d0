"""Division of the parameters into a shared subtree and a corpus's subtree."""

from __future__ import annotations

from typing import Any

from flax import traverse_util

Params = dict[str, Any]


def split(params: Params, shared_attention: bool = True) -> tuple[Params, Params]:
    """Split one network's parameters into the shared subtree and the corpus's subtree.

    A corpus has its own adapters, norms and head; without ``shared_attention`` also attention.

    >>> shared, corpus = split({"conv": {"kernel": 1, "adapter": 2}, "norm": {"scale": 3}})
    >>> shared, corpus
    ({'conv': {'kernel': 1}}, {'conv': {'adapter': 2}, 'norm': {'scale': 3}})
    """
    flat = traverse_util.flatten_dict(params)
    corpus = {path: leaf for path, leaf in flat.items() if _of_corpus(path, shared_attention)}
    shared = {path: leaf for path, leaf in flat.items() if path not in corpus}
    return traverse_util.unflatten_dict(shared), traverse_util.unflatten_dict(corpus)


def join(shared: Params, corpus: Params) -> Params:
    """Join the two subtrees of :func:`split`.

    >>> join({"conv": {"kernel": 1}}, {"conv": {"adapter": 2}})
    {'conv': {'kernel': 1, 'adapter': 2}}
    """
    flat = traverse_util.flatten_dict(shared) | traverse_util.flatten_dict(corpus)
    return traverse_util.unflatten_dict(flat)


def _of_corpus(path: tuple[str, ...], shared_attention: bool) -> bool:
    module, leaf = path[0], path[-1]
    if module == "attention":
        return not shared_attention
    return leaf.startswith("adapter") or "norm" in module or module.startswith("head")
