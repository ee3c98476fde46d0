"""Recipes of the four corpora: languages, labels, texts and recording conditions."""

from __future__ import annotations

import dataclasses

from datasets.synthetic.recording import Recording


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Recipe of one corpus.

    Attributes:
      language: English name of the language.
      code: espeak-ng's name of the language.
      labels: the label set, from ``voices.EMOTIONS``.
      takes: utterances per speaker and label.
      recording: recording conditions of the corpus.
      texts: sentences without emotion; a speaker says the same ones for every label.
    """

    language: str
    code: str
    labels: tuple[str, ...]
    takes: int
    recording: Recording
    texts: tuple[str, ...]


RECIPES = {
    "synthetic-english": Recipe(
        language="English",
        code="en",
        labels=("anger", "happiness", "neutral", "sadness"),
        takes=4,
        recording=Recording(band_hz=(60, 7600), decay_s=0.1, echo=0.1, noise_db=-66),  # a studio
        texts=(
            "The lamp is on the table.",
            "They painted the door blue.",
            "He put the cup on the shelf.",
            "We meet at the station.",
            "The train leaves at seven.",
            "She left her coat in the hall.",
            "The letter came this morning.",
            "The garden has two gates.",
            "My brother lives next door.",
            "The window looks to the east.",
            "The bag is under the chair.",
            "I bought some bread and milk.",
        ),
    ),
    "synthetic-german": Recipe(
        language="German",
        code="de",
        labels=("anger", "boredom", "fear", "happiness", "neutral"),
        takes=3,
        recording=Recording(
            band_hz=(300, 3400), decay_s=0.05, echo=0.1, noise_db=-56
        ),  # a telephone
        texts=(
            "Die Lampe steht auf dem Tisch.",
            "Der Brief kam heute früh.",
            "Wir treffen uns am Bahnhof.",
            "Der Zug fährt um sieben ab.",
            "Sie wohnt im zweiten Stock.",
            "Das Fenster geht nach Osten.",
            "Er stellt die Tasse ins Regal.",
            "Die Tasche liegt im Flur.",
            "Mein Bruder wohnt nebenan.",
            "Der Garten hat zwei Tore.",
            "Ich habe Brot und Milch gekauft.",
            "Am Montag kommt der Maler.",
        ),
    ),
    "synthetic-italian": Recipe(
        language="Italian",
        code="it",
        labels=("anger", "fear", "joy"),
        takes=5,
        recording=Recording(
            band_hz=(80, 7000), decay_s=0.3, echo=0.5, noise_db=-60
        ),  # a tiled room
        texts=(
            "La lampada è sul tavolo.",
            "Il treno parte alle sette.",
            "Ci vediamo alla stazione.",
            "La lettera è arrivata oggi.",
            "Mio fratello abita qui vicino.",
            "La borsa è sotto la sedia.",
            "Il giardino ha due cancelli.",
            "La finestra guarda a est.",
            "Ho comprato il pane e il latte.",
            "La tazza è nello scaffale.",
            "Lunedì viene l'imbianchino.",
            "La porta è dipinta di blu.",
        ),
    ),
    "synthetic-polish": Recipe(
        language="Polish",
        code="pl",
        labels=("fear", "neutral", "sadness", "surprise"),
        takes=4,
        recording=Recording(
            band_hz=(120, 5500), decay_s=0.2, echo=0.2, noise_db=-50
        ),  # a cheap microphone
        texts=(
            "Lampa stoi na stole.",
            "Pociąg odjeżdża o siódmej.",
            "Spotkamy się na dworcu.",
            "List przyszedł dziś rano.",
            "Mój brat mieszka obok.",
            "Torba leży pod krzesłem.",
            "Ogród ma dwie bramy.",
            "Okno wychodzi na wschód.",
            "Kupimy chleb i mleko.",
            "Kubek stoi na półce.",
            "W poniedziałek przyjdzie malarz.",
            "Te drzwi są niebieskie.",
        ),
    ),
}
