"""Every utterance of a corpus, each of them a pure function of the seed and of its own place."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from datasets.synthetic.espeak import speak
from datasets.synthetic.recipes import RECIPES, Recipe
from datasets.synthetic.voices import EMOTIONS, Delivery, Speaker, draw_speaker, perform, voice_file

SPEAKERS = tuple(f"{sex}{number:02d}" for number in range(1, 13) for sex in "fm")


@dataclasses.dataclass(frozen=True)
class Utterance:
    recipe: Recipe
    speaker: Speaker
    label: str
    take: int
    text: str
    delivery: Delivery
    stream: tuple[int, ...]

    def __call__(self):
        speech = speak(
            self.text,
            voice_file(self.recipe.code, self.speaker, self.delivery),
            round(self.delivery.words_per_minute),
        )
        return self.recipe.recording(speech, self.delivery.loudness_db, np.random.default_rng((*self.stream, 1)))


def utterances(recipe: Recipe, seed: int) -> Iterator[Utterance]:
    c = RECIPES.index(recipe)
    for s, name in enumerate(SPEAKERS):
        speaker = draw_speaker(name, np.random.default_rng((seed, c, s)))
        for l, label in enumerate(recipe.labels):
            for take in range(recipe.takes):
                stream = (seed, c, s, l, take)
                delivery = perform(speaker, EMOTIONS[label], np.random.default_rng((*stream, 0)))
                text = recipe.texts[(s * recipe.takes + take) % len(recipe.texts)]
                yield Utterance(recipe, speaker, label, take, text, delivery, stream)
