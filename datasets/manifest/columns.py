"""Meanings of the columns of a table, from the usual names of files, labels, speakers, times."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping, Sequence

from datasets.base import CorpusError
from datasets.manifest.words import one_form
from emojax.files import printable

# Names without blanks and signs: `Speaker ID`, `speaker-id` and `speakerid` are equal.
_NAMES = {
    "file": "file files filename filenames filepath path relativepath wav wavfile wavfilename "
    "wavpath audio audiofile audiofilename audiofilepath audiopath sound soundfile name fname clip "
    "clipid clipname clippath recording recordingpath utterance utterancepath",
    "label": "label labels emotion emotions emotionclass emotionlabel emotionname emo emoclass "
    "class classname target category",
    "speaker": "speaker speakers speakerid speakername spk spkid spkr spkrid talker talkerid actor "
    "actorid subject subjectid participant participantid clientid person personid",
    "sex": "sex gender speakersex speakergender",
    "split": "split splits splitset subset partition part set",
}
_TIMES = {
    "start": "start begin beg onset tstart tbegin tmin xmin t0",
    "end": "end stop finish tend tstop tmax xmax t1",
    "duration": "duration dur length",
    "offset": "offset",
}
# Number of characters of a name that a remark shows.
_SHOWN = 60
_UNITS_S = dict.fromkeys(["", "s", "sec", "secs", "second", "seconds"], 1.0) | dict.fromkeys(
    ["ms", "msec", "msecs", "millis", "millisecond", "milliseconds"], 1e-3
)
_OTHER_UNITS = "samples? frames? index idx pos position bytes? us ns mins? minutes? h hours?"
_TIME = re.compile(
    r"(?:segment|seg|utterance|utt|clip|audio|time)?(?:"
    + "|".join(f"(?P<{role}>{names.replace(' ', '|')})" for role, names in _TIMES.items())
    + rf")(?:time)?(?:in)?(?P<unit>{'|'.join([*_UNITS_S, *_OTHER_UNITS.split()])})"
)


@dataclasses.dataclass(frozen=True)
class Columns:
    """The meanings of the columns of a table.

    Attributes:
      number: meaning (``file``, ``label``, ``speaker``, ``sex``, ``split``, ``start``, ``end``,
        ``duration``) → number of the column.
      unit_s: meaning → unit of the column in seconds, for columns with times.
      renamed: columns whose name differs from their meaning, as in ``spk as speaker``.
      unused: names of the other columns, as they are shown.
      further: name → number of the columns that may be learnt: the others, and those of the labels
        and sexes under their own names.
    """

    number: Mapping[str, int]
    unit_s: Mapping[str, float]
    renamed: tuple[str, ...]
    unused: tuple[str, ...]
    further: Mapping[str, int]


def find_columns(header: Sequence[str], where: str) -> Columns:
    """Find the meaning of each column of a table.

    A column whose name is the meaning (``file``) is preferred to one with another name (``path``).

    Args:
      header: names of the columns.
      where: name of the table, for error messages.

    Raises:
      CorpusError: a name occurs twice, several columns have one meaning, or a time has an unknown
        unit.

    >>> columns = find_columns(["Path", "emotion", "age", "start (ms)", "end (ms)"], "labels.csv")
    >>> columns.number, columns.unit_s, columns.unused
    ({'file': 0, 'label': 1, 'start': 3, 'end': 4}, {'start': 0.001, 'end': 0.001}, ('age',))
    """
    _refuse_twice(header, where)
    meanings = [meaning(name) for name in header]
    roles = [role for role, _ in meanings]
    candidates = {
        role: [n for n, other in enumerate(roles) if other == role] for role in roles if role
    }
    _settle_offset(candidates)
    number = {role: _choose(role, numbers, header, where) for role, numbers in candidates.items()}
    _check_times(number, where)
    units = {role: meanings[n][1] for role, n in number.items() if role in _TIMES}
    for role, unit in units.items():
        if unit not in _UNITS_S:
            raise CorpusError(
                f"{where}: the column {printable(header[number[role]])} is not in seconds; give "
                "start and end in seconds, or in milliseconds as start_ms and end_ms"
            )
    unused = [
        printable(name[:_SHOWN]) or "(no name)"
        for n, name in enumerate(header)
        if n not in number.values()
    ]
    renamed = [
        f"{printable(header[n][:_SHOWN])} as {role}"
        for role, n in number.items()
        if _key(header[n]) != role
    ]
    unit_s = {role: _UNITS_S[unit] for role, unit in units.items()}
    taken = {n for role, n in number.items() if role not in ("label", "sex")}
    further = {one_form(name): n for n, name in enumerate(header) if name and n not in taken}
    return Columns(number, unit_s, tuple(renamed), tuple(unused), further)


def _key(name: str) -> str:
    """Return a column's name in lower case, without blanks and signs."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKC", name).casefold())


def meaning(name: str) -> tuple[str, str]:
    """Return the meaning of a column and its unit; empty strings for an unknown column.

    >>> meaning("speaker_id"), meaning("onset_ms"), meaning("age")
    (('speaker', ''), ('start', 'ms'), ('', ''))
    """
    key = _key(name)
    for role, names in _NAMES.items():
        if key in names.split():
            return role, ""
    match = _TIME.fullmatch(key)
    if match is None:
        return "", ""
    return next(role for role in _TIMES if match[role]), match["unit"]


def _refuse_twice(header: Sequence[str], where: str) -> None:
    names = [name.casefold() for name in header if name]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CorpusError(
            f"{where}: the header names {', '.join(map(printable, twice))} twice; rename or remove "
            "a column"
        )


def _settle_offset(candidates: dict[str, list[int]]) -> None:
    """Take ``offset`` as the start if there is a duration but no start, else as the end."""
    offset = candidates.pop("offset", [])
    if offset:
        role = "start" if "duration" in candidates and "start" not in candidates else "end"
        candidates.setdefault(role, []).extend(offset)


def _choose(role: str, numbers: Sequence[int], header: Sequence[str], where: str) -> int:
    """Choose the column for a role; one that has the name of the role is preferred."""
    exact = [n for n in numbers if _key(header[n]) == role]
    if len(exact or numbers) > 1:
        names = ", ".join(printable(header[n]) for n in numbers)
        raise CorpusError(
            f"{where}: the columns {names} may each be the {role}; name one of them {role}"
        )
    return (exact or numbers)[0]


def _check_times(number: dict[str, int], where: str) -> None:
    """Drop an unneeded duration, and refuse a start without an end or an end without a start."""
    if "start" not in number or "end" in number:
        number.pop("duration", None)
    if ("start" in number) != bool({"end", "duration"} & number.keys()):
        there, missing = ("start", "end or duration") if "start" in number else ("end", "start")
        raise CorpusError(
            f"{where}: there is a column with the {there} of a segment but none with its "
            f"{missing}; give both, or rename the column if it is no time"
        )
