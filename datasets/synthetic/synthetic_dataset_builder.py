"""The tfds builder of the synthetic corpora; each utterance depends on the seed and its name."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from datasets.base import Source, SpeechBuilder
from datasets.synthetic.espeak import speak
from datasets.synthetic.recipes import RECIPES, Recipe
from datasets.synthetic.voices import EMOTIONS, Speaker, draw_speaker, perform, voice_file
from emojax.corpora.spec import CorpusSpec

SEED = 0
PARTS = {
    part: tuple(f"{sex}{number:02d}" for number in numbers for sex in "fm")
    for part, numbers in {
        "train": range(1, 8),
        "devel": range(8, 10),
        "test": range(10, 13),
    }.items()
}
SPEAKERS = sum(PARTS.values(), ())


class Builder(SpeechBuilder):
    """One config per language; nothing is downloaded."""

    BUILDER_CONFIGS = [  # noqa: RUF012
        tfds.core.BuilderConfig(name=name, description=f"{recipe.language}, spoken by espeak-ng.")
        for name, recipe in RECIPES.items()
    ]

    @property
    def spec(self) -> CorpusSpec:
        """Description of the corpus."""
        recipe = RECIPES[self.builder_config.name]
        return CorpusSpec(
            name=self.builder_config.name,
            labels=recipe.labels,
            language=recipe.language,
            style="synthetic (espeak-ng)",
            licence="texts and recipe Apache-2.0; made with espeak-ng (GPL-3)",
            source="datasets/synthetic",
            counts=dict.fromkeys(recipe.labels, recipe.takes * len(SPEAKERS)),
            speakers=len(SPEAKERS),
            parts=PARTS,
            notes="Synthetic: a score on it says that the software works, "
            "and nothing about human emotion.",
        )

    def sources(self) -> Iterator[Source]:
        """Yield the utterances by speaker."""
        name = self.builder_config.name
        for number, speaker in enumerate(SPEAKERS):
            yield from _sources(name, draw_speaker(speaker, _rng(name, speaker)), first_text=number)


def _sources(name: str, speaker: Speaker, first_text: int) -> Iterator[Source]:
    """Yield the utterances of one speaker: the same texts for every label."""
    recipe = RECIPES[name]
    for label in recipe.labels:
        for take in range(recipe.takes):
            text = recipe.texts[(first_text + take) % len(recipe.texts)]
            file = f"{speaker.name}/{label}-{take + 1}.wav"
            audio = functools.partial(_record, recipe, speaker, label, text, place=(name, file))
            yield Source(file, label, speaker=speaker.name, audio=audio)


def _record(
    recipe: Recipe, speaker: Speaker, label: str, text: str, place: tuple[str, ...]
) -> np.ndarray:
    """Speak and record one utterance: float32 [n], 16 kHz."""
    rng = _rng(*place)
    delivery = perform(speaker, EMOTIONS[label], rng)
    speech = speak(
        text, voice_file(recipe.code, speaker, delivery), round(delivery.words_per_minute)
    )
    return recipe.recording(speech, delivery.loudness_db, rng)


def _rng(*place: str) -> np.random.Generator:
    """Return a generator seeded by the names, independent of all other generators."""
    return np.random.default_rng([SEED, *"/".join(place).encode()])
