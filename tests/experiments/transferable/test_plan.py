import dataclasses
import sys
from collections import Counter

import pytest

from emojax.experiments.launch.launch import _with_partitions
from emojax.experiments.launch.plan import together
from emojax.experiments.transferable.approaches import ABLATED, DOMAIN, TRANSFERS
from emojax.experiments.transferable.plan import check_request, describe, transferable_jobs

EVERY = ("1", "2", "3", "4", "5")


def plan(spec, tables=EVERY, partition="fold", folds=2, tested=2):
    tested = tested if isinstance(tested, dict) else dict.fromkeys(spec.corpora, tested)
    return {job.name: job for job in transferable_jobs(spec, tables, partition, folds, tested)}


def settings(jobs):
    return Counter(setting for job in jobs.values() for setting in job.results.values())


def flags_of(job):
    return dict(flag.partition("=")[::2] for flag in job.commands[0][1:])


def of(*corpora):
    return corpora[0] if len(corpora) == 1 else together(corpora)


def test_each_score_of_the_tables_is_planned_once(spec):
    jobs = plan(spec)
    n, folds = 3, 2
    scored = {"SVM-IS": folds, "CNN": folds, "CNN+LSTM": folds}
    scored |= {"TT": n * folds, "adaptive SVM": n * folds}
    scored |= dict.fromkeys(TRANSFERS, n * folds)
    scored |= {
        f"{transfer} without {source}": (n - 1) * folds
        for transfer in ABLATED
        for source in spec.corpora
    }
    assert settings(jobs) == scored
    assert len({job.folder for job in jobs.values()}) == len(jobs)
    # Beside what is scored, only a network of each pair of corpora is needed.
    assert len(jobs) == sum(scored.values()) + 3 * folds


def test_bases_are_shared_by_all_that_begin_at_them(spec):
    jobs = plan(spec)

    def base_of(approach, learnt, target):
        name = f"transferable/{approach}/{of(*learnt)}_fold2of2_seed0_to_{target}"
        (base,) = jobs[name].after
        assert base.name == f"transferable/base/{of(*learnt)}_fold2of2_seed0"
        return jobs[base.name], jobs[name].results[jobs[name].folder]

    base, setting = base_of("A3", "abc", "a")
    assert (base.results[base.folder], setting) == ("CNN+LSTM", "S1-A3")
    base, setting = base_of("A3", "bc", "a")
    assert (base.results, base.corpora, setting) == ({}, ["b", "c"], "S2-A3")
    assert base_of("A2", "bc", "b") == (base, "S1-A2 without a")
    base, setting = base_of("A2", "c", "a")
    assert (base.results[base.folder], setting) == ("TT", "S2-A2 without b")
    assert all(base.name in jobs for job in jobs.values() for base in job.after)


def test_a_base_is_scored_if_any_table_shows_it(spec):
    jobs = plan(spec, ["4", "5"])  # Table 4 needs the network of c first
    assert list(jobs["transferable/base/c_fold1of2_seed0"].results.values()) == ["TT"]
    assert "CNN+LSTM" not in settings(jobs)


def test_tables_choose_what_is_run(spec):
    assert plan(spec, ["1"]) == {}
    assert set(settings(plan(spec, ["2"]))) == {"SVM-IS", "CNN", "CNN+LSTM"}
    assert set(settings(plan(spec, ["3"]))) == {"TT", *TRANSFERS}
    assert set(settings(plan(spec, ["5"]))) == {"TT", *TRANSFERS, "adaptive SVM"}
    ablated = {one for one in settings(plan(spec, ["4"])) if "without" not in one}
    assert ablated == set(ABLATED)


def test_one_corpus_more_changes_no_job_that_did_not_learn_from_it(spec):
    two = dataclasses.replace(spec, corpora={"a": "a", "b": "b=some/labels.csv"})
    before = plan(two, ["2", "3", "5"])
    after = plan(spec)
    lost = [name for name in before if name not in after]
    assert not [
        name
        for name in lost
        if not name.startswith(("transferable/svm", "transferable/cnn"))
        and not name.endswith(("to_a", "to_b"))
    ]
    # What all corpora were before is now what all but c are.
    base = f"transferable/base/{of('a', 'b')}_fold1of2_seed0"
    assert before[base].config == after[base].config
    assert after[f"transferable/A2/{of('a', 'b')}_fold1of2_seed0_to_a"].results
    turned = dict(reversed(spec.corpora.items()))
    assert set(plan(dataclasses.replace(spec, corpora=turned))) == set(after)


def test_networks_have_the_paper_s_settings_and_learn_from_no_devel(spec):
    jobs = plan(spec)
    learnt = of("a", "b", "c")
    tuned = jobs[f"transferable/A7/{learnt}_fold2of2_seed0_to_b"]
    assert (tuned.config["frozen_layers"], tuned.config["new_layers"]) == (
        "conv",
        "lstm,dense,head",
    )
    assert flags_of(tuned)["--config.corpora"] == "b=some/labels.csv"
    assert flags_of(tuned)["--config.domains"] == DOMAIN
    for job in jobs.values():
        assert job.config["domains"] == DOMAIN
        assert job.config["partition"].startswith("fold:")
        assert not job.is_network or not (job.config["refit"] or job.config["adapters"])
    scored = jobs[f"transferable/A1/{learnt}_fold2of2_seed0_to_b"]
    assert (scored.config["rounds_per_phase"], tuned.config["rounds_per_phase"]) == (1, 300)
    assert jobs[f"transferable/cnn/{learnt}_fold1of2_seed0"].config["recurrence"] == "none"


def test_folds_that_test_nobody_are_no_target(spec):
    jobs = plan(spec, ["3"], "random", 4, {"a": 4, "b": 2, "c": 3})
    assert settings(jobs)["TT"] == 4 + 2 + 3
    assert len(plan(spec, ["2"], folds=4, tested=3)) == 3 * 3
    assert "transferable/base/b_random3of4_seed0" not in jobs
    assert {job.config["partition"] for job in jobs.values()} == {
        f"random:{number}/4" for number in (1, 2, 3, 4)
    }


def test_words_are_given_to_runs_of_their_corpus_only(spec):
    spec = dataclasses.replace(spec, label_words="high=anger,b/low=sadness")
    jobs = plan(spec, ["3", "5"])
    words = {job.config["label_words"] for job in jobs.values() if "b" not in job.corpora}
    assert words == {"high=anger"}
    svm = jobs[f"transferable/adaptive_svm/{of('a', 'c')}_fold1of2_seed0_to_b"]
    assert flags_of(svm)["--label_words"] == "high=anger,b/low=sadness"


def test_the_length_of_a_plan_is_said(spec):
    said = describe(list(plan(spec, ["2"]).values()))
    assert said == "4 networks of 1,200 rounds in all, at a round a second 0.3 h; 2 SVMs"


def test_bad_requests_are_refused(spec, monkeypatch):
    with pytest.raises(ValueError, match=r"^--tables=2,6; choose of 1, 2, 3, 4, 5"):
        check_request(spec, ["2", "6"])
    other = dataclasses.replace(spec, config="configs/multi_corpus.py")
    with pytest.raises(ValueError, match=r"network adapter_resnet; .*give configs/cnn_lstm\.py"):
        check_request(other, ["3"])
    monkeypatch.setitem(sys.modules, "osqp", None)
    check_request(spec, ["1", "3", "4"])
    with pytest.raises(ValueError, match=r'pip install "emojax\[adaptive_svm\]"'):
        check_request(spec, ["5"])
    for corpora, tables, said in [
        (["a"], ["2"], "give 2 or more, or --tables=1$"),
        (["a", "b"], ["1", "4"], "^a, b: too few .* give 3 or more, or --tables=1,2,3,5"),
    ]:
        few = dataclasses.replace(spec, corpora={name: name for name in corpora})
        with pytest.raises(ValueError, match=said):
            plan(few, tables)


def test_all_jobs_know_the_clips_of_their_domain(spec, words, tiny_config, tiny_paths):
    spec = dataclasses.replace(
        spec,
        corpora={name: name for name in tiny_paths},
        data_dir=tiny_config.paths.data_dir,
        label_words=words,
    )
    jobs = plan(spec, ["2"], folds=3)
    some = [job for job in jobs.values() if "fold1of3" in job.name]
    known = {job.name.split("/")[1]: job for job in _with_partitions(some, spec)}
    assert {tuple(job.partitions) for job in known.values()} == {("emotion",)}
    assert known["svm"].partitions == known["cnn"].partitions
