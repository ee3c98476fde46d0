"""Catalogue of corpora: one TOML file each, with facts of its publisher and the EmoNet paper."""

from __future__ import annotations

import tomllib
from importlib import resources

from emojax.corpora.spec import CorpusSpec


def _read() -> dict[str, CorpusSpec]:
    files = [file for file in resources.files(__name__).iterdir() if file.name.endswith(".toml")]
    texts = {file.name.removesuffix(".toml"): file.read_text(encoding="utf-8") for file in files}
    return {
        name: CorpusSpec.from_json({"name": name, **tomllib.loads(text)})
        for name, text in sorted(texts.items())
    }


CATALOGUE = _read()
