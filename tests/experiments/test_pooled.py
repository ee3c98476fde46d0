"""Folds that were never trained, and a few that were, scored as one test part."""

import csv
import dataclasses
import json
from pathlib import Path

import pytest

from emojax.corpora.folds import make_folds
from emojax.corpora.partitions import make_partition
from emojax.corpora.spec import Clip, CorpusSpec
from emojax.data.prepared import PreparedCorpus, find_corpora
from emojax.evaluation.evaluator import evaluate
from emojax.evaluation.metrics import score
from emojax.evaluation.score_files import Prediction, write_predictions, write_results
from emojax.experiments.pooled import pooled_report
from emojax.experiments.reports.report import write_report

LABELS = ("calm", "loud")
NOTE = "† fewer than five speakers: says little about others."


def corpus(name, speakers):
    """Ten clips of each label by each speaker."""
    clips = [
        Clip(f"{s}/{label}{take}.wav", label, s, "", 1.0, "", f"{s}{label}{take}")
        for s in speakers
        for label in LABELS
        for take in range(10)
    ]
    return PreparedCorpus(CorpusSpec(name, LABELS), clips, Path("nowhere"))


@pytest.fixture
def corpora():
    return {"many": corpus("many", "abcdef"), "few": corpus("few", "abc")}


def run(folder, corpora, right, partition, seed=0, sure=None, **config):
    """A scored run of a fold, or of all of them: corpus → how many takes of ten are right.

    Each prediction has the probability ``sure``, or none.
    """
    folder.mkdir(parents=True)
    results, predictions = [], []
    for name, takes in right.items():
        spec, clips = corpora[name].spec, corpora[name].clips
        folds = make_folds(spec, clips, partition, seed) if "/" not in partition else None
        parts = folds.partitions if folds else [make_partition(spec, clips, partition, seed)]
        tested = [clips[i] for part in parts for i in part.parts["test"]]
        truth = [LABELS.index(clip.label) for clip in tested]
        hits = [int(clip.file[-5]) < takes for clip in tested]
        predicted = [t if hit else 1 - t for t, hit in zip(truth, hits, strict=True)]
        speakers = [clip.speaker for clip in tested]
        if tested:
            results.append(score(name, parts[0].protocol, LABELS, truth, predicted, speakers))
        predictions += [
            Prediction(name, clip.file, clip.speaker, clip.label, LABELS[p], probabilities(p, sure))
            for clip, p in zip(tested, predicted, strict=True)
        ]
    write_predictions(predictions, folder / "predictions.csv")
    noted = {"part": "test", "command": "", "utterance": "whole", "step": 1, "versions": {}}
    noted |= {"config": {"seed": seed, "partition": partition, **config}}
    write_results(results, folder, {**noted, "devel_uar": dict.fromkeys(right, 0.5)})
    return folder


def probabilities(predicted, sure):
    return {LABELS[predicted]: sure, LABELS[1 - predicted]: 1 - sure} if sure else {}


@pytest.fixture
def workdirs(tmp_path, corpora):
    """A shared run for each of six folds, a run for each corpus and fold, and an SVM's of all."""

    def folds(setting, right):
        tested = [name for name in right if name == "many"]
        return [
            run(
                tmp_path / f"{setting}{i}", corpora, right if i <= 3 else tested_only, f"fold:{i}/6"
            )
            for i in range(1, 7 if tested else 4)
            for tested_only in [{name: right[name] for name in tested}]
        ]

    scratch = [*folds("alone_many", {"many": 6}), *folds("alone_few", {"few": 7})]
    svm = [run(tmp_path / f"svm_{name}", corpora, {name: 6}, "fold:6") for name in corpora]
    return {"scratch": scratch, "shared": folds("shared", {"many": 9, "few": 8}), "egemaps": svm}


def test_all_folds_of_a_corpus_are_one_score(workdirs, corpora, rows_of):
    report = pooled_report(workdirs, corpora)
    rows = {(r["setting"], r["corpus"]): r for r in rows_of(report.pieces[2])}
    uars = {place: round(float(row["UAR"]), 6) for place, row in rows.items()}
    assert uars == {
        **{("scratch", "many"): 60, ("shared", "many"): 90, ("egemaps", "many"): 60},
        **{("scratch", "few"): 70, ("shared", "few"): 80, ("egemaps", "few"): 60},
    }
    shared = rows["shared", "many"]
    assert (shared["clips"], shared["speakers"], shared["interval over"]) == (
        "120",
        "6",
        "speakers",
    )
    assert rows["shared", "few"]["interval over"] == "clips"
    assert float(shared["above first"]) == pytest.approx(30)
    assert float(shared["mid-p"]) < float(shared["mid-p by Holm"]) < 0.05
    assert shared["mark"] == "+"
    assert shared["protocol"] == make_folds(**division(corpora["many"]), scheme="fold:6").protocol
    assert report.missing == ""


def division(prepared):
    return {"spec": prepared.spec, "clips": prepared.clips}


def test_corpora_weigh_alike_in_the_mean(workdirs, corpora, rows_of):
    (*_, foot) = rows_of(pooled_report(workdirs, corpora).pieces[0])
    assert foot["corpus"] == "mean of 2"
    means = [float(foot[setting]) for setting in workdirs]
    assert means == pytest.approx([65, 85, 60])


def test_a_corpus_of_few_speakers_is_marked_wherever_its_score_is_shown(workdirs, corpora):
    table, picture, details = pooled_report(workdirs, corpora).pieces[:3]
    assert [row[-1].endswith("†") for row in table.shown()[:2]] == [False, True]
    assert NOTE in table.notes
    assert NOTE in details.notes
    assert "†" not in table.csv() + details.csv()
    names = [text.get_text() for text in picture.figure.axes[0].get_yticklabels()]
    assert names == ["many", "few†"]
    assert [text.get_text() for text in picture.figure.texts] == [NOTE]
    alone = {name: corpora[name] for name in ["many"]}
    assert NOTE not in pooled_report(workdirs, alone).pieces[0].notes


def test_the_terminal_is_told_which_corpora_have_few_speakers(workdirs, corpora):
    assert pooled_report(workdirs, corpora).caution.startswith("few: fewer than five speakers")
    assert pooled_report(workdirs, {"many": corpora["many"]}).caution == ""


def test_a_fused_row_is_scored_and_compared_as_any_other(corpora, tmp_path, rows_of):
    unsure = run(tmp_path / "unsure", corpora, {"many": 2, "few": 2}, "fold:6", sure=0.6)
    sure = run(tmp_path / "sure", corpora, {"many": 9, "few": 4}, "fold:6", sure=0.7)
    fused = {"unsure+sure": ["unsure", "sure"]}
    report = pooled_report({"unsure": [unsure], "sure": [sure]}, corpora, fused=fused)
    table = report.pieces[0]
    assert list(table.columns)[4:] == ["unsure", "sure", "unsure+sure"]
    assert any("unsure+sure: the label with the largest sum" in note for note in table.notes)
    rows = {(r["setting"], r["corpus"]): r for r in rows_of(report.pieces[2])}
    same = "UAR", "low", "high", "from", "to", "exact p", "mid-p", "mid-p by Holm", "mark"
    for name in corpora:  # the surer one decides each clip
        fused, own = rows["unsure+sure", name], rows["sure", name]
        assert [fused[key] for key in same] == [own[key] for key in same]
        assert fused["protocol"] == own["protocol"]
    assert rows["unsure+sure", "many"]["mark"] == "+"
    assert "unsure+sure" not in {row["setting"] for row in rows_of(report.pieces[-1])}


def test_what_a_part_of_a_fusion_lacks_the_fusion_lacks(corpora, tmp_path):
    one = run(tmp_path / "one", corpora, {"many": 2, "few": 2}, "fold:6", sure=0.6)
    other = run(tmp_path / "other", corpora, {"many": 9}, "fold:6", sure=0.7)
    fused = {"one+other": ["one", "other"]}
    report = pooled_report({"one": [one], "other": [other]}, corpora, fused=fused)
    assert [row[-1] == "" for row in report.pieces[0].shown()] == [False, True, False]
    assert pooled_report({"one": [one]}, corpora, fused=fused).pieces[0].shown()[0][-1] != ""


def test_fusing_old_predictions_is_refused(workdirs, corpora):
    with pytest.raises(ValueError, match=r"^scratch: ./.* of corpus many has no probabilities"):
        pooled_report(workdirs, corpora, fused={"scratch+egemaps": ["scratch", "egemaps"]})


def test_a_domain_beside_the_corpora_is_no_corpus_of_the_table(corpora, tmp_path, rows_of):
    trained_on = {**corpora, "emotion": corpus("emotion", "abcdefgh")}
    right = {"many": 9, "few": 8, "emotion": 5}
    folds = [
        run(
            tmp_path / str(i),
            trained_on,
            right if i <= 3 else {"many": 9},  # the last folds test none of the domain
            f"fold:{i}/6",
            domains="corpora+emotion",
        )
        for i in range(1, 7)
    ]
    report = pooled_report({"shared_emotion": folds}, corpora)
    assert [row[0] for row in report.pieces[0].shown()] == ["many", "few", "mean of 2"]
    assert report.missing == ""
    assert "emotion" not in {row["corpora"] for row in rows_of(report.pieces[-1])}


def test_missing_folds_are_named_and_nothing_is_scored_as_if_whole(workdirs, corpora):
    workdirs["shared"] = workdirs["shared"][1:]
    workdirs["scratch"] = [one for one in workdirs["scratch"] if one.name != "alone_many6"]
    report = pooled_report(workdirs, corpora, "shared/fold1: broken")
    assert [row[0] for row in report.pieces[0].shown()] == ["many", "few", "mean of 1"]
    assert list(report.pieces[0].columns)[4:] == ["scratch", "egemaps"]
    assert report.pieces[0].shown()[0][4] == ""
    told = "shared/fold1: broken; scratch, many, seed 0: 100 of 120 clips are tested; "
    assert report.missing.startswith(told + "shared, many, seed 0: 100 of 120 clips are tested; ")


def test_nothing_whole_is_an_error_that_names_what_there_is(workdirs, corpora):
    with pytest.raises(ValueError, match=r"no setting has all .*shared, many, seed 0: 20 of 120"):
        pooled_report({"shared": workdirs["shared"][:1]}, corpora)


def test_a_clip_that_is_tested_twice_is_refused(workdirs, corpora, tmp_path):
    again = run(tmp_path / "again", corpora, {"many": 9}, "fold:2/6")
    workdirs["shared"].append(again)
    with pytest.raises(ValueError, match=r"shared: corpus many with seed 0: .* each fold once"):
        pooled_report(workdirs, corpora)


def test_a_corpus_with_other_labels_now_is_refused(workdirs, corpora):
    clips = list(corpora["many"].clips)
    clips[0] = dataclasses.replace(clips[0], label="loud")
    corpora["many"] = dataclasses.replace(corpora["many"], clips=clips)
    with pytest.raises(ValueError, match=r"scratch: 1 clips of corpus many .*a/calm0\.wav"):
        pooled_report(workdirs, corpora)


def test_folds_of_different_partitions_are_no_whole(workdirs, corpora, tmp_path, rewrite):
    rewrite(workdirs["shared"][0], config={"seed": 0, "partition": "fold:1/7"})
    with pytest.raises(ValueError, match=r"is of fold:7, and others of fold:6; give the folds of"):
        pooled_report(workdirs, corpora)


def test_seeds_are_averaged(workdirs, corpora, tmp_path):
    more = [
        run(tmp_path / f"second{i}", corpora, {"many": 7}, f"fold:{i}/6", seed=1)
        for i in range(1, 7)
    ]
    workdirs["shared"] += more
    cell = pooled_report(workdirs, corpora).pieces[0].shown()[0][5]
    assert cell.startswith("80.0 ± 14.1 [")


def test_the_page_says_how_it_came_about(workdirs, corpora, tmp_path):
    report = pooled_report(workdirs, corpora)
    files = {path.name: path for path in write_report(report, tmp_path / "out", "")}
    tables = [
        f"{name}.{end}" for name in ("pooled", "pooled_details", "runs") for end in ("csv", "tex")
    ]
    assert set(files) == {*tables, "pooled.png", "pooled.json", "pooled.html"}
    scored = json.loads(files["pooled.json"].read_text())["settings"]
    assert list(scored) == list(workdirs)
    assert scored["shared"]["many"]["uar"] == pytest.approx(0.9)
    page = files["pooled.html"].read_text("utf-8")
    assert "Settings were not chosen on these figures" in page
    assert "many: speaker-independent: 6 folds pooled, stratified by label, seed 0" in page
    assert "few: speaker-independent: 3 folds pooled, stratified by label, seed 0" in page
    with open(files["runs.csv"], newline="") as table:
        assert len(list(csv.DictReader(table))) == 6 + 9 + 2


def test_folds_of_real_runs_test_every_clip_once(tiny_config, tiny_paths, tmp_path, untrained):
    folds = [tmp_path / str(i) for i in (1, 2, 3)]
    for i, folder in enumerate(folds, 1):
        untrained(tiny_config, tiny_paths, folder, partition=f"fold:{i}/3")
        evaluate(folder)
    found = find_corpora(list(tiny_paths), Path(tiny_config.paths.data_dir))
    report = pooled_report({"shared": folds}, found)
    clips = {row[0]: (row[1], row[2]) for row in report.pieces[0].rows}
    assert clips == {name: (len(corpus.clips), 5) for name, corpus in found.items()}
    noted = json.loads((folds[0] / "results.json").read_text())["corpora"]["tones"]["speakers"]
    assert 1 <= noted < 5
