"""Aggregated domains stand in for corpora: trained, scored, loaded, and a start for others."""

import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest

import emojax
from emojax.checkpoints import read_manifest
from emojax.corpora.spec import read_clips, write_clips
from emojax.data.partitioned import open_corpora
from emojax.data.prepared import load_recordings, open_corpus
from emojax.data.sampling import balanced_clips
from emojax.evaluation.evaluator import evaluate
from emojax.inference.network import load_networks
from emojax.training.loop import train

WORDS = "high=anger,middle=happiness,low=sadness,loud=fear,soft=neutral"
LEVELS = {
    "arousal": {"high": "high", "middle": "high", "low": "low", "loud": "high", "soft": "low"},
    "valence": dict.fromkeys(("high", "low", "loud"), "negative")
    | {"middle": "positive", "soft": "neutral"},
}


def domains(paths, aggregated="a+v", seed=0, words=WORDS):
    return open_corpora(paths, "default", seed, aggregated, words)


@pytest.fixture(scope="module")
def affect_config(tiny_config):
    return tiny_config.replace(domains="a+v", label_words=WORDS)


@pytest.fixture(scope="module")
def affect_run(affect_config, tiny_paths, tmp_path_factory):
    """Work directory of a finished run on both domains; tests only read its checkpoints."""
    workdir = tmp_path_factory.mktemp("affect")
    train(affect_config, workdir, tiny_paths)
    return workdir


@pytest.mark.parametrize("dimension", LEVELS)
def test_a_domain_holds_the_recordings_of_its_corpora_under_their_levels(tiny_paths, dimension):
    domain = domains(tiny_paths)[dimension]
    opened = {name: open_corpus(path) for name, path in tiny_paths.items()}
    row_of = {name: {clip.file: i for i, clip in enumerate(c.clips)} for name, c in opened.items()}
    for part, indices in domain.partition.parts.items():
        recordings = domain.load(part)
        assert len(recordings) == len(indices) > 0
        for index, samples, label in zip(
            indices, recordings.samples, recordings.labels, strict=True
        ):
            name, _, file = domain.clips[index].file.partition("/")
            row = row_of[name][file]
            original = opened[name].clips[row]
            assert (
                domain.labels[label]
                == LEVELS[dimension][original.label]
                == domain.clips[index].label
            )
            np.testing.assert_array_equal(
                samples, load_recordings(opened[name], np.array([row])).samples[0]
            )
            assert domain.clips[index].speaker == f"{name}/{original.speaker}"
        stored, shuffled = domain.stored(part), np.random.default_rng(0).permutation(len(indices))
        assert stored.lengths.tolist() == recordings.lengths.tolist()
        assert stored.labels.tolist() == recordings.labels.tolist()
        for row, samples in zip(shuffled, stored.take(shuffled), strict=True):
            np.testing.assert_array_equal(samples, recordings.samples[row])
    assert {domain.clips[i].file.split("/")[0] for i in domain.partition.parts["train"]} == set(
        tiny_paths
    )


def test_nobody_changes_sides(tiny_paths):
    single = open_corpora(tiny_paths, "default", 0)
    part_of = {
        f"{name}/{corpus.clips[i].file}": part
        for name, corpus in single.items()
        for part, indices in corpus.partition.parts.items()
        for i in indices
    }
    for domain in domains(tiny_paths).values():
        for part, indices in domain.partition.parts.items():
            assert {part_of[domain.clips[i].file] for i in indices} == {part}


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"words": WORDS.replace("loud=fear,soft=neutral", "loud=neutral,soft=fear")},
        {"names": ["tones"]},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_aggregation_has_another_identity(tiny_paths, other):
    other = dict(other)
    paths = {name: tiny_paths[name] for name in other.pop("names", tiny_paths)}
    before, after = domains(tiny_paths)["arousal"], domains(paths, **other)["arousal"]
    assert before.identity()["digest"] != after.identity()["digest"]


def test_a_single_level_is_left_out_and_the_protocol_says_so(tiny_paths):
    both = domains(tiny_paths, words=WORDS.replace("soft=neutral", "soft=joy"))
    assert both["arousal"].partition.protocol.endswith("left out, having a single level: levels")
    assert [source.spec.name for source in both["arousal"].sources] == ["tones"]
    assert {source.spec.name for source in both["valence"].sources} == {"tones", "levels"}


def test_a_run_on_domains_is_scored_and_loaded_by_them(affect_run, tiny_paths):
    manifest = read_manifest(affect_run)
    assert manifest["corpora"] == {
        "arousal": ["low", "high"],
        "valence": ["negative", "neutral", "positive"],
    }
    for part in ("devel", "test"):
        results = evaluate(affect_run, part)
        for result, (name, domain) in zip(results, domains(tiny_paths).items(), strict=True):
            assert (result.corpus, result.n) == (name, len(domain.partition.parts[part]))
    model = emojax.load(affect_run, corpus="valence")
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    assert set(model.predict(noise, 16_000)) == {"negative", "neutral", "positive"}
    scores = json.loads((affect_run / "results.json").read_text())["corpora"]
    assert scores["arousal"]["protocol"].startswith("levels equally frequent")


def test_a_run_on_domains_goes_on_only_with_the_same_ones(affect_config, affect_run, tiny_paths):
    steps = read_manifest(affect_run)["step"]
    assert train(affect_config, affect_run, tiny_paths).step == steps
    other = affect_config.replace(domains="arousal")
    with pytest.raises(ValueError, match=r"partitions\.valence: only in the checkpoint"):
        train(other, affect_run, tiny_paths)


def test_a_corpus_adapts_the_trunk_of_the_domains(tiny_config, affect_run, tiny_paths, tmp_path):
    tuning = {"transfer": "adapters", "base": str(affect_run), "base_corpus": "arousal"}
    config = tiny_config.replace(**tuning, rounds_per_phase=1, learning_rates=(0.1,))
    train(config, tmp_path, {"tones": tiny_paths["tones"]})
    ours = load_networks(tmp_path, ["tones"]).networks["tones"]
    base = load_networks(affect_run, ["arousal"]).networks["arousal"]
    jax.tree.map(np.testing.assert_array_equal, ours.shared, base.shared)
    assert read_manifest(tmp_path)["corpora"] == {"tones": ["high", "low", "middle"]}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"domains": "dominance"},
            "domains='dominance'; give one of .*arousal, valence, a\\+v",
        ),
        ({"label_words": "loud=rage"}, "label_words: 'loud=rage' .* out of contempt, .*positive"),
    ],
)
def test_settings_that_do_not_fit(tiny_config, settings, message):
    with pytest.raises(ValueError, match=message):
        tiny_config.replace(**settings)


def test_all_labels_without_a_meaning_are_named_at_once(tiny_paths):
    with pytest.raises(
        ValueError, match=r"tones: low, middle; levels: soft.*low=neutral,middle=neutral,soft="
    ):
        domains(tiny_paths, words="high=anger,loud=anger")


def test_words_for_another_corpus_are_refused(tiny_paths):
    with pytest.raises(
        ValueError, match=r"words for tons, which is none of the corpora tones, levels"
    ):
        domains(tiny_paths, words=f"tons/high=rest,{WORDS}")


def test_a_part_that_lacks_a_level_of_a_corpus_is_named_or_refused(tiny_paths, tmp_path):
    shutil.copytree(tiny_paths["levels"], tmp_path / "1.0.0")
    parts = dict(zip("01234", ("train", "train", "train", "devel", "test"), strict=True))
    clips = [
        dataclasses.replace(
            clip, split=parts[clip.speaker], label="loud" if clip.speaker == "4" else clip.label
        )
        for clip in read_clips(tmp_path / "1.0.0" / "clips.csv")
    ]
    write_clips(tmp_path / "1.0.0" / "clips.csv", clips)
    paths = {**tiny_paths, "levels": tmp_path / "1.0.0"}
    protocol = domains(paths)["arousal"].partition.protocol
    assert protocol.endswith(
        "levels: speaker-independent: partition given with the clips; no soft in test; "
        "nothing of levels in test"
    )
    with pytest.raises(
        ValueError, match=r"arousal: no clips for test.*give another --config\.partition"
    ):
        domains({"levels": paths["levels"]})


def test_common_emotions_stand_beside_the_corpora(tiny_paths):
    words = "high=anger,middle=joy,low=sadness,soft=sadness"  # loud has none
    opened = domains(tiny_paths, "corpora+emotion", words=words)
    assert list(opened) == [*tiny_paths, "emotion"]
    emotion = opened["emotion"]
    assert emotion.labels == ("anger", "happiness", "sadness")
    for part, indices in emotion.partition.parts.items():
        files = {emotion.clips[i].file for i in indices}
        wanted = {
            f"{name}/{corpus.clips[i].file}"
            for name, corpus in opened.items()
            for i in corpus.partition.parts[part]
            if name != "emotion" and corpus.clips[i].label != "loud"
        }
        assert files == wanted
    strata = emotion.stored("train").strata
    assert {tuple(row) for row in strata} == {(0, 0), (1, 0), (2, 0), (2, 1)}
    assert opened["tones"].stored("train").strata is None


def test_balanced_speakers_are_drawn_equally_often_for_each_label(tiny_paths):
    opened = open_corpora(tiny_paths, "default", 0, "corpora+emotion", WORDS, balance_speakers=True)
    plain = open_corpora(tiny_paths, "default", 0, "corpora+emotion", WORDS)
    for name, corpus in opened.items():
        part = corpus.stored("train")
        assert part.corpus.identity() == plain[name].identity()
        speakers = np.array([corpus.clips[index].speaker for index in part.indices])
        drawn = np.concatenate([balanced_clips(part.strata, 30, turn, (0,)) for turn in range(8)])
        for label in np.unique(part.labels):
            own = drawn[part.labels[drawn] == label]
            assert len(own) == pytest.approx(240 / len(corpus.labels), abs=2)
            _, counts = np.unique(speakers[own], return_counts=True)
            assert len(counts) == len(set(speakers[part.labels == label]))
            assert np.ptp(counts) <= 1


def test_chosen_emotions_leave_out_clips_and_say_how_many(tiny_paths):
    words = "high=anger,middle=joy,low=sadness,soft=sadness,loud=fear"
    domain = domains(tiny_paths, "emotion:sadness,anger", words=words)["emotion"]
    assert domain.labels == ("anger", "sadness")
    kept = {domain.clips[i].file for part in domain.partition.parts.values() for i in part}
    for name, others in (("tones", {"middle"}), ("levels", {"loud"})):
        clips = open_corpus(tiny_paths[name]).clips
        assert {f"{name}/{c.file}" for c in clips if c.label not in others} == {
            file for file in kept if file.startswith(name)
        }
        without = sum(clip.label in others for clip in clips)
        said = f"; of other labels and left out: {without} of {len(clips)} of {name}"
        assert said in domain.partition.protocol
    assert set(domain.stored("train").labels) == {0, 1}


def test_a_domain_beside_the_corpora_needs_no_test_part(tiny_paths, tmp_path):
    shutil.copytree(tiny_paths["tones"], tmp_path / "1.0.0")
    clips = [
        dataclasses.replace(clip, speaker=min(clip.speaker, "2"))
        for clip in read_clips(tmp_path / "1.0.0" / "clips.csv")
    ]
    write_clips(tmp_path / "1.0.0" / "clips.csv", clips)
    paths = {**tiny_paths, "tones": tmp_path / "1.0.0"}
    words = "high=anger,middle=joy,low=sadness"  # levels has no common emotion
    opened = open_corpora(paths, "fold:4/5", 0, "corpora+emotion", words)
    tested = {name: len(corpus.partition.parts["test"]) for name, corpus in opened.items()}
    assert tested["levels"] > 0
    assert (tested["tones"], tested["emotion"]) == (0, 0)
    assert len(opened["emotion"].partition.parts["devel"])


def test_a_corpus_cannot_have_the_name_of_a_domain(tiny_paths):
    paths = {"emotion": tiny_paths["tones"], "levels": tiny_paths["levels"]}
    with pytest.raises(ValueError, match="with a corpus emotion; name it otherwise"):
        domains(paths, "corpora+emotion")


def test_a_refit_learns_from_devel_too_and_all_from_every_clip(tiny_paths):
    default = open_corpora(tiny_paths, "default", 0)["tones"].partition.parts
    refitted = open_corpora(tiny_paths, "default", 0, refit=True)["tones"].partition
    both = sorted({*default["train"], *default["devel"]})
    assert [list(refitted.parts[part]) for part in ("train", "devel")] == [both, []]
    assert list(refitted.parts["test"]) == list(default["test"])
    assert "refitted on train and devel" in refitted.protocol
    whole = open_corpora(tiny_paths, "all", 0, "corpora+emotion", WORDS)
    for corpus in whole.values():
        assert [len(some) > 0 for some in corpus.partition.parts.values()] == [True, False, False]
