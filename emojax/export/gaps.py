"""Gaps between sexes and between languages, for the model card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import fmean

from emojax.corpora.catalogue import CATALOGUE
from emojax.evaluation.metrics import few_speakers
from emojax.export.markdown import percent, table

_SEXES = ("female", "male")


def gaps(
    tested: Mapping[str, Mapping], pooled: Mapping[str, Mapping], unseen: Mapping[str, Mapping]
) -> str:
    """Return the text on UAR by sex and by language.

    Args:
      tested: corpus → scores of its test part.
      pooled: corpus → scores of pooled folds.
      unseen: corpus → scores of a network that never saw it.
    """
    parts = {"test part": tested, "pooled folds": pooled, "never seen": unseen}
    by_sex = [row for of, scores in parts.items() for row in _sex_rows(of, scores)]
    by_language = [row for of, scores in parts.items() for row in _language_rows(of, scores)]
    columns = ("corpus", "of", *(f"UAR of {sex} speakers" for sex in _SEXES), "gap")
    said = [table(columns, by_sex) if by_sex else "By sex: not measured."]
    if by_sex:
        said.append(
            "Percent, 95 % interval, clips and speakers; gap: female less male, in points. Only "
            "corpora whose publisher, or whose table, says the sex of speakers."
        )
    columns = ("language", "of", "corpora", "mean UAR", "mean chance", "clips")
    said.append(table(columns, by_language) if by_language else "By language: not measured.")
    if by_language:
        said.append("Corpora differ in more than language: do not read much into one of them.")
    return "\n\n".join(said)


def _sex_rows(of: str, scores: Mapping[str, Mapping]) -> Iterator[tuple[str, ...]]:
    for name, own in scores.items():
        some = own.get("by_sex", {})
        if some:
            shown = [_shown(some[sex]) if sex in some else "no speaker" for sex in _SEXES]
            both = all(sex in some for sex in _SEXES)
            gap = f"{100 * (some['female']['uar'] - some['male']['uar']):+z.1f}" if both else ""
            yield name, of, *shown, gap


def _shown(own: Mapping) -> str:
    low, high = map(percent, own["uar_ci95"])
    mark = few_speakers(own["speakers"])
    return f"{percent(own['uar'])}{mark} [{low}, {high}]; {own['n']} of {own['speakers']}"


def _language_rows(of: str, scores: Mapping[str, Mapping]) -> Iterator[tuple[str, ...]]:
    spoken: dict[str, list[str]] = {}
    for name in scores:
        if name in CATALOGUE:
            spoken.setdefault(CATALOGUE[name].language, []).append(name)
    for language, names in sorted(spoken.items()):
        uar, chance = (
            percent(fmean(scores[name][key] for name in names)) for key in ("uar", "chance")
        )
        clips = sum(scores[name]["n"] for name in names)
        yield language, of, ", ".join(names), uar, chance, str(clips)
