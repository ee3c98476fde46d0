"""Model card of a published model: metadata for the hub, and what a user must know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import yaml

from emojax.corpora.aggregate import EMOTION
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import CorpusSpec
from emojax.data.partitioned import PATHS_FILE, read_paths
from emojax.evaluation.metrics import FEW_SPEAKERS_NOTE, few_speakers
from emojax.export.gaps import gaps
from emojax.export.markdown import escaped, percent, table
from emojax.export.pooled import Pooled, pooled_text
from emojax.export.unseen import Unseen
from emojax.training.transfer import ALL

# English name of a language, as in the catalogue → its code in ISO 639-1.
CODES = {
    "Amharic": "am",
    "Arabic": "ar",
    "Burmese": "my",
    "Danish": "da",
    "English": "en",
    "French": "fr",
    "German": "de",
    "Hebrew": "he",
    "Indonesian": "id",
    "Italian": "it",
    "Korean": "ko",
    "Mandarin": "zh",
    "Persian": "fa",
    "Polish": "pl",
    "Spanish": "es",
    "Swedish": "sv",
    "Turkish": "tr",
}
NO_LICENSE = "unknown"
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_CREATIVE_COMMONS = re.compile(r"cc-(by(?:-nc)?(?:-sa|-nd)?)-(\d\.\d)")
_NOT_ASKED, _NOT_POOLED = Unseen(), Pooled()
_UNSTATED = ("none stated", NO_LICENSE)
# Template of the card.
_CARD = resources.files(__package__).joinpath("card.md")


def model_card(
    name: str,
    license: str,
    manifest: Mapping,
    results: Mapping,
    place: Path,
    unseen: Unseen = _NOT_ASKED,
    pooled: Pooled = _NOT_POOLED,
) -> str:
    """Return the text of ``README.md``.

    Args:
      name: name of the model.
      license: of the weights, as the hub names it.
      manifest: the manifest of the published model.
      results: content of the run's ``results.json``; empty if it was not scored.
      place: folder of the run.
      unseen: what other networks said about corpora that they never saw.
      pooled: scores of other networks under pooled folds.
    """
    sources = _sources(manifest, place)
    chosen = (
        "" if EMOTION in manifest["corpora"] else f', corpus="{next(iter(manifest["corpora"]))}"'
    )
    return _CARD.read_text(encoding="utf-8").format(
        metadata=_metadata(license, sources),
        name=name,
        version=escaped(manifest["emojax"]),
        corpus=chosen,
        labels=_labels(manifest["corpora"]),
        corpora=_corpora(sources),
        licences=_unlicensed(sources),
        scores=_scores(manifest, results),
        pooled=pooled_text(pooled),
        unseen=_unseen(unseen.scores),
        gaps=gaps(results.get("corpora", {}), pooled.first, unseen.scores),
        license=license,
    )


def check_license(license: str) -> None:
    """Raise a ValueError for a license that the hub would not name so."""
    if not _LICENSE.fullmatch(license):
        raise ValueError(
            f"license {license!r}; give it as the hub names it, such as cc-by-nc-sa-4.0 "
            "(https://huggingface.co/docs/hub/repositories-licenses)"
        )


def license_text(name: str, license: str) -> str:
    """Return the text of ``LICENSE``."""
    found = _CREATIVE_COMMONS.fullmatch(license)
    terms = (
        f"{license.upper()}: https://creativecommons.org/licenses/{found[1]}/{found[2]}/legalcode"
        if found
        else f"{license} (https://huggingface.co/docs/hub/repositories-licenses)"
    )
    if license == NO_LICENSE:
        terms = "none is stated; ask whoever gave you these files"
    return (
        f"{name}: weights of a trained network\n\n"
        f"Licence of the files in this folder: {terms}\n\n"
        "EmoJAX, the program that reads them, and the corpora that they were learnt from have\n"
        "licences of their own; README.md names those of the corpora.\n"
    )


def _sources(manifest: Mapping, place: Path) -> dict[str, CorpusSpec | None]:
    """Return the corpora that the run and its bases learnt from, with their catalogue entries."""
    names = [*(read_paths(place) if (place / PATHS_FILE).is_file() else manifest["corpora"])]
    while "base" in manifest:
        manifest = manifest["base"]
        names += manifest["partitions"]
    return {name: CATALOGUE.get(name) for name in names if name != EMOTION}


def _metadata(license: str, sources: Mapping[str, CorpusSpec | None]) -> str:
    spoken = [language for spec in sources.values() if spec for language in languages(spec)]
    codes = sorted({CODES[language] for language in spoken if language in CODES})
    content = {
        "license": license,
        **({"language": codes} if codes else {}),
        "library_name": "emojax",
        "pipeline_tag": "audio-classification",
        "tags": ["emojax", "speech-emotion-recognition", "jax"],
    }
    return yaml.safe_dump(content, sort_keys=False)


def languages(spec: CorpusSpec) -> list[str]:
    """Return the languages of a corpus.

    >>> languages(CATALOGUE["emotale"])
    ['Danish', 'English']
    """
    return spec.language.split(", ")


def _labels(corpora: Mapping[str, Sequence[str]]) -> str:
    return table(("corpus", "labels"), [(name, ", ".join(own)) for name, own in corpora.items()])


def _corpora(sources: Mapping[str, CorpusSpec | None]) -> str:
    if not sources:
        return "The run does not say which corpora it learnt from."
    rows = [
        (name, spec.full_name, spec.language, spec.style, spec.licence, spec.citation)
        if spec
        else (name, "not in the catalogue", *["unknown"] * 4)
        for name, spec in sources.items()
    ]
    return table(("corpus", "full name", "language", "style", "licence", "citation"), rows)


def _unlicensed(sources: Mapping[str, CorpusSpec | None]) -> str:
    names = [name for name, spec in sources.items() if not spec or spec.licence in _UNSTATED]
    if not names:
        return "The publisher of every corpus states a licence."
    return (
        f"No licence is known of {escaped(', '.join(names))}: ask who published them before you "
        "use these weights for more than research."
    )


def _scores(manifest: Mapping, results: Mapping) -> str:
    devel, test = manifest["devel_uar"], results.get("corpora", {})
    rows = [
        (
            f"{name}{few_speakers(test.get(name, {}).get('speakers'))}",
            percent(devel.get(name)),
            *_test_cells(test.get(name)),
        )
        for name in manifest["corpora"]
    ]
    columns = ("corpus", "devel UAR", "test UAR", "95 % interval", "chance", "clips", "protocol")
    if not test and not any(isinstance(uar, (int, float)) for uar in devel.values()):
        return "Every clip was learnt from, or none was scored: there is no figure."
    all_of_it = "Every clip was learnt from, so no test is left: other networks must be scored. "
    learnt = all_of_it * (manifest["config"].get("partition") == ALL)
    devel_note = "The devel part chose the state, so its scores are too high. "
    return f"{table(columns, rows)}\n\nPercent. {learnt}{devel_note}{FEW_SPEAKERS_NOTE}"


def _unseen(scores: Mapping[str, Mapping]) -> str:
    if not scores:
        return "Not measured."
    rows = [
        (f"{name}{few_speakers(own['speakers'])}", *_test_cells(own), *_errors(own))
        for name, own in scores.items()
    ]
    columns = ("corpus", "UAR", "95 % interval", "chance", "clips", "protocol")
    shown = table((*columns, "calibration error", "calibrated"), rows)
    return (
        f"{shown}\n\nPercent, by the head of common emotions, of networks that were trained "
        f"without these corpora. {FEW_SPEAKERS_NOTE} Calibration error (ECE, 15 bins): of a "
        "network's own probabilities, and with the temperature that the other corpora ask for."
    )


def _errors(scores: Mapping) -> tuple[str, str]:
    return percent(scores.get("ece")), percent(scores.get("ece_calibrated"))


def _test_cells(scores: Mapping | None) -> tuple[str, ...]:
    if not scores:
        return "not scored", "", "", "", ""
    low, high = map(percent, scores["uar_ci95"])
    uar, chance = percent(scores["uar"]), percent(scores["chance"])
    return uar, f"{low} to {high}", chance, str(scores["n"]), scores["protocol"]
