import dataclasses
import itertools
import warnings
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emojax.corpora.groups import speaker_groups
from emojax.corpora.partitions import PARTS, make_partition
from emojax.corpora.spec import Clip, CorpusSpec

LABELS = ("anger", "calm", "fear")
SPEC = CorpusSpec("demo", LABELS)


def clips_of(speakers, labels=LABELS, **fields):
    """A clip of every label by every speaker."""
    return [
        Clip(f"{s}/{label}.wav", label, s, "", 1.0, fields.get("split", ""), f"{s}-{label}")
        for s in speakers
        for label in labels
    ]


def with_split(clips, split):
    """The clips with the split that their speaker has."""
    return [dataclasses.replace(clip, split=split[clip.speaker]) for clip in clips]


def files(partition, clips):
    return {part: {clips[i].file for i in indices} for part, indices in partition.parts.items()}


def values(partition, clips, field):
    return [{getattr(clips[i], field) for i in indices} for indices in partition.parts.values()]


def disjoint(sets):
    return sum(map(len, sets)) == len(set().union(*sets))


@st.composite
def corpora(draw):
    """Three to seven speakers, up to two clips of a label by each; some recordings occur twice."""
    cells = [*itertools.product("abcdefg"[: draw(st.integers(3, 7))], LABELS)]
    counts = draw(st.lists(st.integers(0, 2), min_size=len(cells), max_size=len(cells)).filter(any))
    rows = [cell for cell, count in zip(cells, counts, strict=True) for _ in range(count)]
    twins = draw(
        st.dictionaries(st.integers(0, len(rows) - 1), st.integers(0, len(rows) - 1), max_size=2)
    )
    return [
        Clip(f"{i}.wav", label, speaker, "", 1.0, "", str(twins.get(i, i)))
        for i, (speaker, label) in enumerate(rows)
    ]


def some_assignment_is_allowed(clips):
    """Try all assignments of speakers to parts."""
    speakers = sorted({clip.speaker for clip in clips})
    for sides in itertools.product(PARTS, repeat=len(speakers)):
        side = dict(zip(speakers, sides, strict=True))
        whole = all(len({side[c.speaker] for c in twins}) == 1 for twins in twin_sets(clips))
        if whole and len({(side[c.speaker], c.label) for c in clips}) == 3 * len(LABELS):
            return True
    return False


def twin_sets(clips):
    return [
        [c for c in clips if c.digest == d]
        for d, n in Counter(c.digest for c in clips).items()
        if n > 1
    ]


@given(corpora(), st.integers(0, 9), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_a_seeded_partition_is_allowed_and_fails_only_where_none_is(clips, seed, rng):
    try:
        partition = make_partition(SPEC, clips, seed=seed)
    except ValueError:
        assert not some_assignment_is_allowed(clips)
        return
    assert disjoint(values(partition, clips, "speaker"))
    assert disjoint(values(partition, clips, "digest"))
    assert values(partition, clips, "label") == [set(LABELS)] * 3
    assert sorted(i for part in partition.parts.values() for i in part) == list(range(len(clips)))
    shuffled = rng.sample(clips, len(clips))
    assert files(make_partition(SPEC, shuffled, seed=seed), shuffled) == files(partition, clips)


@given(corpora(), st.data())
@settings(max_examples=50, deadline=None)
def test_folds_test_every_clip_once_and_devel_is_the_next_fold(clips, data):
    clips = clips + clips_of("xyz")
    groups = int(speaker_groups(clips).max()) + 1
    k = data.draw(st.integers(3, groups + 3))
    folds = [make_partition(SPEC, clips, f"fold:{i}/{k}", seed=1) for i in range(1, k + 1)]
    assert sorted(i for fold in folds for i in fold.parts["test"]) == list(range(len(clips)))
    tested = folds[: min(k, groups)]
    assert all(len(fold.parts["test"]) for fold in tested)
    for fold, following in zip(tested, [*tested[1:], tested[0]], strict=True):
        assert fold.parts["devel"].tolist() == following.parts["test"].tolist()
    for fold in folds:
        assert sorted(i for part in fold.parts.values() for i in part) == list(range(len(clips)))
        assert disjoint(values(fold, clips, "speaker"))
        assert disjoint(values(fold, clips, "digest"))
    for fold in folds[groups:]:
        assert not len(fold.parts["test"])
        assert len(fold.parts["devel"])
        assert f"there are {groups} folds of speakers" in fold.protocol
        assert fold.protocol.endswith("; no test")


@given(corpora(), st.integers(3, 5), st.integers(0, 9), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_random_folds_are_nearly_equal_and_keep_a_recording_on_one_side(clips, k, seed, rng):
    clips = clips + clips_of("xyz")
    schemes = [f"random:{i}/{k}" for i in range(1, k + 1)]
    folds = [make_partition(SPEC, clips, scheme, seed) for scheme in schemes]
    assert sorted(i for fold in folds for i in fold.parts["test"]) == list(range(len(clips)))
    recordings = [len({clips[i].digest for i in fold.parts["test"]}) for fold in folds]
    assert max(recordings) - min(recordings) <= 1
    for fold, following in zip(folds, [*folds[1:], folds[0]], strict=True):
        assert disjoint(values(fold, clips, "digest"))
        assert fold.parts["devel"].tolist() == following.parts["test"].tolist()
    shuffled = rng.sample(clips, len(clips))
    again = make_partition(SPEC, shuffled, schemes[0], seed)
    assert files(again, shuffled) == files(folds[0], clips)


def test_random_folds_have_each_label_alike():
    clips = [clip for take in range(7) for clip in takes_of("ab", take)]
    for i in range(1, 4):
        parts = make_partition(SPEC, clips, f"random:{i}/3").parts
        counts = Counter(clips[j].label for j in parts["test"])
        assert set(counts) == set(LABELS)
        assert max(counts.values()) - min(counts.values()) <= 1


@given(st.lists(st.integers(0, 29), max_size=3), st.integers(3, 5), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_two_speakers_are_tested_once_each_and_devel_shares_no_recording_with_train(twins, k, seed):
    clips = [clip for take in range(5) for clip in takes_of("ab", take)]
    for i in twins:  # the same recording twice, of one speaker
        other = next(c for c in clips if c.speaker == clips[i].speaker)
        clips[i] = dataclasses.replace(clips[i], digest=other.digest)
    folds = [make_partition(SPEC, clips, f"fold:{i}/{k}", seed) for i in range(1, k + 1)]
    assert sorted(i for fold in folds for i in fold.parts["test"]) == list(range(len(clips)))
    for fold in folds:
        train, devel, test = values(fold, clips, "speaker")
        assert train.isdisjoint(test)
        assert devel.isdisjoint(test)
        assert disjoint(values(fold, clips, "digest"))
        assert all(len(fold.parts[part]) for part in ("train", "devel"))
        cut = "devel cut from train by recording (two groups of speakers only)"
        assert (train == devel) == (cut in fold.protocol) == bool(test)


def takes_of(speakers, take):
    return [
        dataclasses.replace(c, file=f"{take}/{c.file}", digest=f"{take}{c.digest}")
        for c in clips_of(speakers)
    ]


def test_seeded_folds_are_balanced():
    clips = clips_of("abcdefghijklmnopqrst")
    for i in range(1, 6):
        partition = make_partition(SPEC, clips, f"fold:{i}/5")
        assert [len(partition.parts[part]) for part in PARTS] == [36, 12, 12]


def test_speakers_who_share_a_recording_are_left_out_together():
    clips = clips_of("abcd")
    clips[3] = dataclasses.replace(clips[3], digest=clips[0].digest)
    partition = make_partition(SPEC, clips, "loso:b")
    assert values(partition, clips, "speaker") == [{"d"}, {"c"}, {"a", "b"}]
    assert partition.protocol == "speaker-independent: leave one speaker out, test a+b, devel c"


def test_devel_of_the_last_speaker_is_the_first():
    clips = clips_of("abcd")
    assert values(make_partition(SPEC, clips, "loso:d"), clips, "speaker") == [
        {"b", "c"},
        {"a"},
        {"d"},
    ]


@pytest.mark.parametrize(
    "scheme",
    [
        "",
        "random",
        "fold:1/2",
        "fold:0/3",
        "fold:4/3",
        "fold:1",
        "loso:",
        "loso:z",
        "fold:a",
    ],
)
def test_an_impossible_scheme_is_refused_with_the_choices(scheme):
    with pytest.raises(
        ValueError, match=r"'default'; 'all'; 'fold:I/K' with 3 ≤ K .* a, b, c, d, e"
    ):
        make_partition(SPEC, clips_of("abcde"), scheme)


def test_one_and_two_speakers_can_not_be_left_out():
    with pytest.raises(ValueError, match="'loso:SPEAKER' where there are at least three"):
        make_partition(SPEC, clips_of("ab"), "loso:a")
    with pytest.raises(ValueError, match=r"at least two speakers \(there are 1\)"):
        make_partition(SPEC, clips_of("a"), "fold:1/3")


def test_two_speakers_with_a_clip_of_each_label_are_refused():
    clips = clips_of("ab", LABELS[:2])
    spec = CorpusSpec("demo", LABELS[:2])
    with pytest.raises(ValueError, match="corpus demo: no clips for devel"):
        make_partition(spec, clips, "fold:1/3")


def test_the_split_of_the_clips_goes_before_the_published_one():
    spec = dataclasses.replace(SPEC, parts={"train": ("c",), "devel": ("b",), "test": ("a",)})
    clips = clips_of("abc")
    given = with_split(clips, {"a": "train", "b": "devel", "c": "test"})
    assert values(make_partition(spec, given), given, "speaker") == [{"a"}, {"b"}, {"c"}]
    published = make_partition(spec, clips)
    assert values(published, clips, "speaker") == [{"c"}, {"b"}, {"a"}]
    assert published.protocol == "speaker-independent: published partition"


def test_a_missing_devel_is_cut_from_train_by_speaker():
    spec = dataclasses.replace(
        SPEC, parts={"train": tuple("abcdefghij"), "test": ("k", "l", "nobody")}
    )
    clips = clips_of("abcdefghijkl")
    partition = make_partition(spec, clips)
    assert [len(part) for part in values(partition, clips, "speaker")] == [8, 2, 2]
    assert values(partition, clips, "speaker")[2] == {"k", "l"}
    assert disjoint(values(partition, clips, "speaker"))
    assert "devel cut from train, seed 0" in partition.protocol


def test_a_cut_rather_leaves_a_label_to_train():
    clips = clips_of("abcdk")
    clips = [c for c in clips if c.label != "fear" or c.speaker in "dk"]
    clips = with_split(clips, dict.fromkeys("abcd", "train") | {"k": "test"})
    partition = make_partition(SPEC, clips)
    assert "d" in values(partition, clips, "speaker")[0]
    assert partition.protocol.endswith("; no fear in devel")


def test_a_partition_without_train_is_refused():
    with pytest.raises(ValueError, match=r"no clips for train.*ways out"):
        make_partition(SPEC, with_split(clips_of("abc"), dict.fromkeys("abc", "test")))


@pytest.mark.parametrize("third", ["train", "devel"])
def test_a_given_partition_without_test_is_one_and_asking_for_test_names_the_corpus(third):
    clips = with_split(clips_of("abc"), {"a": "train", "b": "devel", "c": third})
    partition = make_partition(SPEC, clips)
    assert partition.protocol.endswith("; no test")
    assert len(partition.clips_of("devel", "demo"))
    with pytest.raises(
        ValueError, match=r"corpus demo: no clips for test \(.*no test\); give some clips"
    ):
        partition.clips_of("test", "demo")


def test_a_speaker_that_train_alone_is_given_leaves_no_devel():
    with pytest.raises(ValueError, match="no clips for devel"):
        make_partition(SPEC, with_split(clips_of("a"), {"a": "train"}))


SEGMENTS = [
    Clip(f"{file}.wav#t={start},{start + 1}", label, "", "", 1.0, "", f"{file}{start}")
    for file in "abcdef"
    for start, label in enumerate(LABELS)
]


@pytest.mark.filterwarnings("ignore:corpus demo")
def test_segments_of_one_recording_stay_together_where_nobody_knows_the_speakers():
    partition = make_partition(SPEC, SEGMENTS)
    sides = [
        {clip.partition("#")[0] for clip in part} for part in files(partition, SEGMENTS).values()
    ]
    assert disjoint(sides)
    assert [len(side) for side in sides] == [4, 1, 1]


def test_a_given_partition_with_a_cut_recording_on_two_sides_is_refused():
    clips = [
        dataclasses.replace(c, split="test" if c.file[0] == "f" else "train") for c in SEGMENTS
    ]
    clips[0] = dataclasses.replace(clips[0], split="test")
    with pytest.raises(ValueError, match=r"recording a\.wav is in test \(a\.wav#t=0,1\) and train"):
        make_partition(SPEC, clips)
    spoken = [dataclasses.replace(c, speaker=f"{c.split} speaker") for c in clips]
    with pytest.raises(ValueError, match="no clips for devel"):
        make_partition(SPEC, spoken)


SMALL = {
    "two clips": (
        [*clips_of("a", LABELS[:1]), *clips_of("b", LABELS[1:2])],
        "no clips for|is missing in",
    ),
    "one speaker": (clips_of("a"), "no clips for"),
    "two speakers": (clips_of("ab"), "no clips for"),
    "three speakers": (clips_of("abc"), ""),
    "64 labels": (clips_of("abcdef", [f"label {i}" for i in range(64)]), ""),
    "a label of one clip": (
        clips_of("abcdef")[:-1] + clips_of("f", ["joy"]),
        "label 'joy' is missing in",
    ),
    "all recordings identical": (
        [dataclasses.replace(c, digest="0") for c in clips_of("abcdef")],
        "no clips",
    ),
    "a label without clips in train": (
        with_split(clips_of("abc"), {"a": "train", "b": "devel", "c": "test"})[1:],
        "label 'anger' is missing in train",
    ),
    "only train is given": (with_split(clips_of("abcdef"), dict.fromkeys("abcdef", "train")), ""),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_corpus_is_divided_or_refused_by_name(name):
    clips, refusal = SMALL[name]
    spec = CorpusSpec("demo", tuple(dict.fromkeys(clip.label for clip in clips)))
    if refusal:
        with pytest.raises(ValueError, match=f"corpus demo: .*({refusal})"):
            make_partition(spec, clips)
    else:
        partition = make_partition(spec, clips)
        assert all(len(partition.parts[part]) for part in ("train", "devel"))
        assert {clips[i].label for i in partition.parts["train"]} == set(spec.labels)


def test_a_single_speaker_in_train_can_not_give_a_devel():
    with pytest.raises(ValueError, match="no clips for devel"):
        make_partition(SPEC, with_split(clips_of("ab"), {"a": "train", "b": "test"}))


@pytest.mark.parametrize("split", ["", "dev", "Train"])
def test_a_split_of_another_name_is_refused_by_file(split):
    clips = with_split(clips_of("abc"), {"a": "train", "b": split, "c": "test"})
    with pytest.raises(ValueError, match=r"3 of 9 clips .* train, devel, test: b/anger.wav \('"):
        make_partition(SPEC, clips)


def test_a_given_partition_with_a_speaker_on_two_sides_is_refused_by_name():
    clips = with_split(clips_of("abc"), {"a": "train", "b": "devel", "c": "test"})
    clips[0] = dataclasses.replace(clips[0], split="test")
    with pytest.raises(
        ValueError, match=r"speaker a is in test \(a/anger.wav\) and train \(a/calm.wav\)"
    ):
        make_partition(SPEC, clips)


@pytest.mark.parametrize("speaker", ["known", ""])
def test_a_given_partition_with_a_recording_on_two_sides_is_refused_by_file(speaker):
    clips = with_split(clips_of("abc"), {"a": "train", "b": "devel", "c": "test"})
    clips[8] = dataclasses.replace(clips[8], digest=clips[0].digest)
    if not speaker:
        clips = [dataclasses.replace(clip, speaker="") for clip in clips]
    with pytest.raises(
        ValueError, match=r"one recording is in train \(a/anger.wav\) and test \(c/fear.wav\)"
    ):
        make_partition(SPEC, clips)


def test_a_published_partition_that_shares_a_recording_is_refused():
    spec = dataclasses.replace(SPEC, parts={"train": ("a",), "devel": ("b",), "test": ("c",)})
    clips = clips_of("abc")
    clips[8] = dataclasses.replace(clips[8], digest=clips[0].digest)
    with pytest.raises(ValueError, match=r"one recording is in train .* and test"):
        make_partition(spec, clips)


def test_published_parts_name_every_speaker_once():
    parts = {"train": ("a",), "devel": ("b",), "test": ("c",)}
    with pytest.raises(
        ValueError, match="speakers d are in none of the published train, devel, test"
    ):
        make_partition(dataclasses.replace(SPEC, parts=parts), clips_of("abcd"))
    parts["test"] = ("c", "a")
    with pytest.raises(ValueError, match="speakers a are in more than one"):
        make_partition(dataclasses.replace(SPEC, parts=parts), clips_of("abc"))


@pytest.mark.parametrize("k", [3, 4])
def test_published_folds_are_used_where_there_are_at_most_so_many(k):
    spec = dataclasses.replace(SPEC, folds=(("d", "a"), ("b", "e"), ("c", "f")))
    clips = clips_of("abcdef")
    published = make_partition(spec, clips, f"fold:2/{k}")
    assert values(published, clips, "speaker") == [{"a", "d"}, {"c", "f"}, {"b", "e"}]
    assert "published fold 2 of 3" in published.protocol


def test_more_published_folds_than_are_asked_for_are_not_used():
    spec = dataclasses.replace(SPEC, folds=(("a",), ("b",), ("c",), ("d", "e", "f")))
    partition = make_partition(spec, clips_of("abcdef"), "fold:2/3")
    assert "published" not in partition.protocol
    assert [len(partition.parts[part]) for part in PARTS] == [6, 6, 6]


def test_after_the_last_published_fold_there_is_no_test():
    spec = dataclasses.replace(SPEC, folds=(("d", "a"), ("b", "e"), ("c", "f")))
    clips = clips_of("abcdef")
    partition = make_partition(spec, clips, "fold:4/6")
    assert values(partition, clips, "speaker") == [{"a", "c", "d", "f"}, {"b", "e"}, set()]
    assert partition.protocol == (
        "speaker-independent: fold 4 of 6, but there are 3 published folds of speakers; no test"
    )


def test_published_folds_that_share_a_recording_are_refused():
    spec = dataclasses.replace(SPEC, folds=(("a",), ("b",), ("c",)))
    clips = clips_of("abc")
    clips[8] = dataclasses.replace(clips[8], digest=clips[0].digest)
    with pytest.raises(ValueError, match=r"one recording is in fold 1 .* and fold 3"):
        make_partition(spec, clips, "fold:1/3")


def test_a_label_of_too_few_speakers_is_named_with_them():
    clips = [c for c in clips_of("abcde") if c.label != "fear" or c.speaker in "bd"]
    with pytest.raises(
        ValueError, match=r"label 'fear' is missing in \w+.* spoken by b, d; ways out"
    ):
        make_partition(SPEC, clips)


def test_a_label_that_no_clip_has_is_named():
    with pytest.raises(ValueError, match=r"label 'fear' is missing in train.* spoken by nobody"):
        make_partition(SPEC, clips_of("abcde", LABELS[:2]), "loso:a")


def test_a_given_partition_may_lack_a_label_in_test_and_says_so():
    clips = with_split(clips_of("abc"), {"a": "train", "b": "devel", "c": "test"})
    assert make_partition(SPEC, clips[:-1]).protocol.endswith("; no fear in test")
    with pytest.raises(ValueError, match="label 'anger' is missing in train"):
        make_partition(SPEC, clips[1:])


def test_unknown_speakers_are_said_to_be_unknown():
    clips = [dataclasses.replace(clip, speaker="") for clip in clips_of("abcdefghij")]
    clips[1] = dataclasses.replace(clips[1], digest=clips[0].digest)
    with pytest.warns(UserWarning, match="corpus demo: not speaker-independent"):
        partition = make_partition(SPEC, clips)
    assert partition.protocol.startswith("not speaker-independent (speakers unknown)")
    assert [len(partition.parts[part]) for part in PARTS] == pytest.approx([18, 6, 6], abs=1)
    assert disjoint(values(partition, clips, "digest"))
    assert values(partition, clips, "label") == [set(LABELS)] * 3


def test_known_speakers_raise_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_partition(SPEC, clips_of("abcde"))


def test_speakers_of_some_clips_only_are_refused():
    clips = clips_of("abcde")
    clips[4] = dataclasses.replace(clips[4], speaker="")
    with pytest.raises(ValueError, match=r"1 of 15 clips name no speaker: b/calm\.wav"):
        make_partition(SPEC, clips)


def test_no_clips_and_strange_labels_are_refused():
    with pytest.raises(ValueError, match="no clips"):
        make_partition(SPEC, [])
    with pytest.raises(ValueError, match="labels joy; allowed: anger, calm, fear"):
        make_partition(SPEC, clips_of("abc", (*LABELS, "joy")))


def test_long_lists_are_cut_short():
    speakers = [f"s{i:03}" for i in range(300)]
    with pytest.raises(ValueError, match=r"s019, … \(300 in all\)") as error:
        make_partition(SPEC, clips_of(speakers), "loso:nobody")
    assert len(str(error.value)) < 500
