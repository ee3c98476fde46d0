"""Partitions into train, devel and test that keep every recording, and speaker, in one part."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from emojax.corpora.groups import deal, deal_at_random, group_names, speaker_groups
from emojax.corpora.segments import recording_of
from emojax.corpora.spec import Clip, CorpusSpec

PARTS = ("train", "devel", "test")
ALL = "all"  # scheme without devel and test
RANDOM = "random"  # scheme random:I/K
SPEAKER_DEPENDENT = "speaker-dependent"  # in the protocol of speakers on both sides
_WAYS_OUT = (
    "ways out: a `split` (train, devel, test) for every clip, a CSV with more speakers, "
    "or fewer labels"
)


@dataclasses.dataclass(frozen=True)
class Partition:
    """One partition of a corpus.

    Attributes:
      protocol: description for the tables, in one line.
      parts: ``train``, ``devel`` and ``test`` → int64 indices into the clips, ascending.
    """

    protocol: str
    parts: dict[str, np.ndarray]

    def refitted(self) -> Partition:
        """Return the partition with the devel clips in train."""
        train = np.sort(np.concatenate([self.parts["train"], self.parts["devel"]]))
        parts = {"train": train, "devel": np.zeros(0, np.int64), "test": self.parts["test"]}
        return Partition(f"{self.protocol}; refitted on train and devel", parts)

    def clips_of(self, part: str, corpus: str) -> np.ndarray:
        """Return the indices of the clips of a part; ValueError if there are none."""
        if not len(self.parts[part]):
            raise ValueError(
                f"corpus {corpus}: no clips for {part} ({self.protocol}); give some clips the "
                f"split {part} and prepare the corpus again, or ask for another part or partition"
            )
        return self.parts[part]


def make_partition(
    spec: CorpusSpec, clips: Sequence[Clip], scheme: str = "default", seed: int = 0
) -> Partition:
    """Divide the clips of a corpus into train, devel and test, with each speaker in one part.

    Speakers who share a bit-identical recording (an equal digest) count as one. If the speakers are
    unknown, recordings with all of their segments take their place, with a note in the protocol and
    a warning.

    Args:
      spec: spec of the corpus, with its labels and the published parts and folds, if any.
      clips: all clips of the corpus, in any order.
      scheme: ``"default"`` uses the ``split`` of the clips, else the published parts, else a random
        division of about 60/20/20 % of the clips. If the splits or published parts have no devel,
        it is cut from train; if they have no test, the protocol says so. ``"fold:I/K"`` tests on
        the Ith (from 1) of K groups of speakers, or of the published ones if there are at most K.
        A corpus with fewer speakers than K has as many groups as speakers. After its last group,
        it has no test part. ``"loso:SPEAKER"`` tests on one speaker. In both, devel is the next
        group and train the rest. If only two groups are left, devel is cut from train by recording.
        ``"random:I/K"`` tests on a random fold of recordings, whoever speaks, and its protocol says
        *speaker-dependent*. ``"all"`` trains on every clip.
      seed: seed of the parts that are not published.

    Raises:
      ValueError: a scheme that the corpus does not allow; a speaker or recording in two parts of a
        given or published partition; a part without clips, except for a test part that was not
        given or has no group left; a label missing in train, or in any part of a random division
        (in a given partition or a fold, the protocol names labels missing in devel or test); clips
        of which only some have a speaker or a split.

    >>> spec = CorpusSpec("demo", ("angry", "calm"))
    >>> rows = [(speaker, label) for speaker in "abcde" for label in spec.labels]
    >>> clips = [
    ...     Clip(f"{s}/{label}.wav", label, s, "", 1.0, "", digest=s + label) for s, label in rows
    ... ]
    >>> partition = make_partition(spec, clips, "loso:b")
    >>> partition.protocol
    'speaker-independent: leave one speaker out, test b, devel c'
    >>> partition.parts["test"]
    array([2, 3])
    """
    corpus = _Corpus(spec, clips)
    complete: Collection[str] = ("train",)
    needed: Collection[str] = PARTS
    if scheme == ALL:
        how, part, needed = "every clip is trained on", np.zeros(len(clips), np.int64), ("train",)
    elif scheme != "default":
        how, part, needed = _fold(corpus, scheme, seed)
    elif spec.parts or any(clip.split for clip in clips):
        how, part = _published(corpus, seed)
        needed = ("train", "devel")
    else:
        how, complete = f"about 60/20/20, stratified by label, seed {seed}", PARTS
        part = deal(corpus.group, corpus.label, (0.6, 0.2, 0.2), seed)
    known = (
        "speaker-independent" if clips[0].speaker else "not speaker-independent (speakers unknown)"
    )
    if scheme.startswith(f"{RANDOM}:"):
        known = SPEAKER_DEPENDENT
    protocol = f"{known}: {how}{_gaps(corpus, part, complete, needed)}"
    if not clips[0].speaker:
        warnings.warn(f"corpus {spec.name}: {protocol}", stacklevel=2)
    return Partition(protocol, {name: np.flatnonzero(part == i) for i, name in enumerate(PARTS)})


class _Corpus:
    """A checked corpus with the labels and groups of its clips."""

    def __init__(self, spec: CorpusSpec, clips: Sequence[Clip]) -> None:
        self.spec, self.clips = spec, clips
        unknown = [clip.file for clip in clips if not clip.speaker]
        self.labels = spec.labels or ("",)  # of a corpus that has only further columns
        strange = {clip.label for clip in clips} - set(self.labels)
        if not clips:
            raise self.error("no clips to divide; prepare the corpus again")
        if 0 < len(unknown) < len(clips):
            raise self.error(
                f"{len(unknown)} of {len(clips)} clips name no speaker: {_some(unknown)}; "
                "name the speaker of every clip, or of none"
            )
        if strange:
            raise self.error(
                f"clips with labels {_some(sorted(strange))}; allowed: {_some(spec.labels)}"
            )
        self.label = np.array([self.labels.index(clip.label) for clip in clips])
        self.group = speaker_groups(clips)
        self.names = group_names(clips, self.group)

    def error(self, what: str) -> ValueError:
        return ValueError(f"corpus {self.spec.name}: {what}")


def _published(corpus: _Corpus, seed: int) -> tuple[str, np.ndarray]:
    """Return the partition of the clips, else of the spec: description, and part of each clip."""
    if any(clip.split for clip in corpus.clips):
        how, part = "partition given with the clips", _given(corpus)
    else:
        lists = {name: corpus.spec.parts.get(name, ()) for name in PARTS}
        how, part = "published partition", _by_speaker(corpus, lists)
    train = part == PARTS.index("train")
    if train.any() and not (part == PARTS.index("devel")).any():
        part[train] = deal(corpus.group[train], corpus.label[train], (0.8, 0.2), seed)
        how += f", devel cut from train, seed {seed}"
    return how, part


def _given(corpus: _Corpus) -> np.ndarray:
    """Return the part of each clip according to its ``split``, int64[N]."""
    strange = [f"{clip.file} ({clip.split!r})" for clip in corpus.clips if clip.split not in PARTS]
    if strange:
        raise corpus.error(
            f"{len(strange)} of {len(corpus.clips)} clips have another split than {_some(PARTS)}: "
            f"{_some(strange)}; give every clip one of these, or no clip any"
        )
    part = np.array([PARTS.index(clip.split) for clip in corpus.clips])
    _refuse_leaks(corpus, part, PARTS)
    return part


def _fold(corpus: _Corpus, scheme: str, seed: int) -> tuple[str, np.ndarray, Sequence[str]]:
    """Return one fold: its description, the part of each clip, and the parts that it must have."""
    of_speaker = {
        c.speaker: int(g) for c, g in zip(corpus.clips, corpus.group, strict=True) if c.speaker
    }
    kind, _, which = scheme.partition(":")
    numbers = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", which)
    i, k = map(int, numbers.groups()) if numbers else (0, 0)
    if kind == "loso" and which in of_speaker and len(corpus.names) >= 3:
        k, i = len(corpus.names), of_speaker[which] + 1
        how = f"leave one speaker out, test {corpus.names[i - 1]}, devel {corpus.names[i % k]}"
        return how, _around(corpus.group, i, k), PARTS
    if kind == "fold" and 1 <= i <= k and k >= 3 and len(corpus.names) >= 2:
        return _of_several(corpus, i, k, seed)
    recordings = _recordings(corpus.clips)
    if kind == RANDOM and 1 <= i <= k and 3 <= k <= len(set(recordings)):
        how = f"random fold {i} of {k} by recording, stratified by label, seed {seed}"
        return how, _around(deal_at_random(recordings, corpus.label, k, seed), i, k), PARTS
    raise corpus.error(
        f"scheme {scheme!r}; allowed: 'default'; 'all'; 'fold:I/K' with 3 ≤ K and 1 ≤ I ≤ K where "
        f"there are at least two speakers (there are {len(corpus.names)}); 'random:I/K' with "
        f"3 ≤ K ≤ {len(set(recordings))}, speakers on both sides; 'loso:SPEAKER' where "
        f"there are at least three, with one of {_some(sorted(of_speaker)) or '(speakers unknown)'}"
    )


def _of_several(
    corpus: _Corpus, i: int, k: int, seed: int
) -> tuple[str, np.ndarray, Sequence[str]]:
    """Return fold I of at most K, as :func:`_fold` does."""
    published = {f"fold {n}": speakers for n, speakers in enumerate(corpus.spec.folds, 1)}
    if 2 <= len(published) <= k:
        folds, which, of = len(published), _by_speaker(corpus, published), "published "
    else:
        folds, of = min(k, len(corpus.names)), ""
        which = deal(corpus.group, corpus.label, (1 / folds,) * folds, seed)
    how = f"{of}fold {i} of {folds}"
    if i > folds:
        how = f"fold {i} of {k}, but there are {folds} {of}folds of speakers"
    if not of:
        how += f", stratified by label, seed {seed}"
    part = _around(which, i, folds)
    if i <= folds == 2:
        part[part == PARTS.index("devel")] = PARTS.index("train")
        how += f", {_cut_by_recording(corpus, part, seed)}"
    return how, part, PARTS if i <= folds else ("train", "devel")


def _around(fold: np.ndarray, i: int, folds: int) -> np.ndarray:
    """Return the part of each clip: test is fold I from 1, devel the next, train the rest."""
    return np.select(
        [fold == i - 1, fold == i % folds], [PARTS.index("test"), PARTS.index("devel")]
    )


def _cut_by_recording(corpus: _Corpus, part: np.ndarray, seed: int) -> str:
    """Move a fifth of train's recordings to devel, whoever speaks, and say so."""
    train = np.flatnonzero(part == PARTS.index("train"))
    recordings = _recordings([corpus.clips[int(i)] for i in train])
    part[train] = deal(recordings, corpus.label[train], (0.8, 0.2), seed)
    return f"devel cut from train by recording (two groups of speakers only), seed {seed}"


def _recordings(clips: Sequence[Clip]) -> np.ndarray:
    """Return the recording of each clip, whoever speaks, int64[N]."""
    return speaker_groups([dataclasses.replace(clip, speaker="") for clip in clips])


def _by_speaker(corpus: _Corpus, lists: Mapping[str, Sequence[str]]) -> np.ndarray:
    """Return the number of the published list of speakers that contains each clip, int64[N]."""
    place = {speaker: i for i, speakers in enumerate(lists.values()) for speaker in speakers}
    twice = {s for i, speakers in enumerate(lists.values()) for s in speakers if place[s] != i}
    nowhere = {clip.speaker for clip in corpus.clips} - place.keys()
    for speakers, what in (twice, "more than one"), (nowhere, "none"):
        if speakers:
            raise corpus.error(
                f"speakers {_some(sorted(speakers))} are in {what} of the published "
                f"{_some(lists)}; every speaker must be in exactly one"
            )
    part = np.array([place[clip.speaker] for clip in corpus.clips])
    _refuse_leaks(corpus, part, tuple(lists))
    return part


def _refuse_leaks(corpus: _Corpus, part: np.ndarray, names: Sequence[str]) -> None:
    """Raise a ValueError for speakers or bit-identical recordings in two parts."""
    seen: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for clip, i in zip(corpus.clips, part, strict=True):
        seen["one recording", clip.digest].setdefault(names[i], clip.file)
        # Segments of one recording have the same speakers, even if they are unknown.
        who = f"speaker {clip.speaker}" if clip.speaker else f"recording {recording_of(clip.file)}"
        seen[who, ""].setdefault(names[i], clip.file)
    leaks = [
        f"{what} is in " + " and ".join(f"{name} ({file})" for name, file in files.items())
        for (what, _), files in seen.items()
        if len(files) > 1
    ]
    if leaks:
        raise corpus.error(
            f"the given or published partition is refused: {_some(leaks, 5)}; move or leave out "
            "these clips, or give no partition: the corpus is then divided by speaker"
        )


def _gaps(
    corpus: _Corpus, part: np.ndarray, complete: Collection[str], needed: Collection[str]
) -> str:
    """Return a note on missing parts and labels; ValueError if they are required."""
    note, labels = "", corpus.labels
    for i, name in enumerate(PARTS):
        missing = np.setdiff1d(np.arange(len(labels)), corpus.label[part == i])
        if len(missing) == len(labels) and name not in needed:
            note += f"; no {name}"
            continue
        if len(missing) == len(labels):
            raise corpus.error(
                f"no clips for {name}; the clips are by {_some(corpus.names)}, and a partition "
                f"needs three speakers or groups at least; {_WAYS_OUT}"
            )
        if len(missing) and name in complete:
            who = [corpus.names[g] for g in np.unique(corpus.group[corpus.label == missing[0]])]
            raise corpus.error(
                f"label {labels[missing[0]]!r} is missing in {name}, in the best partition found; "
                f"it is spoken by {_some(who) or 'nobody'}; {_WAYS_OUT}"
            )
        if len(missing):
            note += f"; no {_some([labels[m] for m in missing])} in {name}"
    return note


def _some(names: Iterable[str], most: int = 20) -> str:
    """Return the first names, and their number if there are more."""
    names = list(names)
    return ", ".join(names[:most]) + (f", … ({len(names)} in all)" if len(names) > most else "")
