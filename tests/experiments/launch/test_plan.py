import dataclasses
import hashlib
from pathlib import Path

import pytest

from emojax.experiments.corpus_arguments import parse_corpora
from emojax.experiments.launch.job import scored
from emojax.experiments.launch.plan import baseline_jobs, transfer_jobs
from emojax.experiments.launch.spec import read_config_file

# How runs over x and y together are named.
BOTH = f"_2_corpora_{hashlib.blake2b(b'x,y', digest_size=4).hexdigest()}"


def flags_of(command):
    return dict(flag.partition("=")[::2] for flag in command[1:])


def test_table_4_is_shared_runs_and_a_tuning_of_each(spec):
    jobs = {job.name: job for job in transfer_jobs(spec, [])}
    names = [
        f"{one}/{run}"
        for one in ("all", "arousal", "valence", "a+v")
        for run in ("shared", "tuned")
    ]
    names = [name + BOTH for name in (*names, "from_z/adapters", "from_z/head")]
    names += ["scratch/x", "scratch/y", "scratch/z"]
    assert set(jobs) == {f"{name}_seed{seed}" for name in names for seed in (0, 1)}
    shared, tuned = jobs[f"a+v/shared{BOTH}_seed1"], jobs[f"a+v/tuned{BOTH}_seed1"]
    assert [job.name for job in tuned.after] == [shared.name]
    assert shared.after == []
    train, evaluate = map(flags_of, tuned.commands)
    assert train["--config.base"] == str(shared.folder) == flags_of(shared.commands[0])["--workdir"]
    assert (train["--config.base_corpus"], train["--config.seed"]) == ("", "1")
    assert train["--config.corpora"] == "x,y=some/labels.csv"
    assert evaluate == {"--workdir": str(tuned.folder), "--state": "best"}
    assert flags_of(shared.commands[0])["--config.domains"] == "a+v"
    assert "" not in scored(jobs.values())


def test_heads_alone_are_tuned_with_the_smaller_rates(spec):
    jobs = {job.name: job for job in transfer_jobs(spec, ["scratch"])}
    flags = flags_of(jobs[f"from_z/head{BOTH}_seed0"].commands[0])
    rates = read_config_file("configs/adapt.py").schedule.learning_rates
    assert flags["--config.transfer"] == "last_layer"
    assert flags["--config.learning_rates"] == str(rates[1:] or rates)
    assert flags["--config.base_corpus"] == "z"


def test_both_tables_share_the_networks_from_scratch(spec):
    transfers = {job.name: job for job in transfer_jobs(spec, ["scratch"])}
    resnets = list(baseline_jobs(spec, ["resnet"]))
    for job in resnets:
        other = transfers[job.name]
        assert (job.commands, job.config, job.folder) == (
            other.commands,
            other.config,
            other.folder,
        )
    assert list(resnets[0].results.values()) == ["resnet best", "resnet final"]
    features = [job.name for job in baseline_jobs(spec, ["egemaps"])]
    assert features == ["egemaps/x_seed0", "egemaps/y_seed0", "egemaps/x_seed1", "egemaps/y_seed1"]


@pytest.mark.parametrize("plan", [baseline_jobs, transfer_jobs])
def test_an_unknown_setting_is_an_error_with_the_choices(plan, spec):
    with pytest.raises(ValueError, match=r"--settings='nope'; choose of (egemaps|scratch), "):
        list(plan(spec, ["nope"]))


def test_what_cannot_be_compared_is_refused_before_hours_of_training(spec, tmp_path):
    alone = dataclasses.replace(spec, bases={})
    with pytest.raises(ValueError, match="--settings=all has nothing to be compared with"):
        transfer_jobs(alone, ["all"])
    other = tmp_path / "other.py"
    other.write_text(
        Path("configs/adapt.py")
        .read_text()
        .replace("return", "config.partition = 'fold:1/5'; return")
    )
    with pytest.raises(ValueError, match=r"divide the corpora differently .*other.py: fold:1/5"):
        transfer_jobs(dataclasses.replace(spec, tune_config=str(other)), [])


def test_a_run_on_another_base_is_another_run_and_one_at_another_place_is_not(spec):
    def settings(job):
        return {"config": job.config, "after": [settings(base) for base in job.after]}

    def plan(**changes):
        jobs = transfer_jobs(dataclasses.replace(spec, **changes), ["scratch", "all"])
        return {job.name: settings(job) for job in jobs}

    here, wider = plan(), plan(config="configs/multi_corpus.py")
    assert here[f"all/tuned{BOTH}_seed0"] != wider[f"all/tuned{BOTH}_seed0"]
    assert here["scratch/x_seed0"] == wider["scratch/x_seed0"]
    moved = plan(corpora=parse_corpora(["x", "y=other.csv"]))
    assert here == moved


def test_a_run_depends_on_the_data_of_what_it_begins_at(spec):
    jobs = {job.name: job for job in transfer_jobs(spec, ["scratch", "all"])}
    head = jobs[f"from_z/head{BOTH}_seed0"]
    assert {*head.corpora, *head.after[0].corpora} == {"x", "y", "z"}
    assert set(jobs["scratch/y_seed0"].corpora) == {"y"}


def test_another_corpus_beside_the_others_makes_new_runs_of_what_it_changes_only(spec, save):
    def plan(*names):
        changed = dataclasses.replace(spec, corpora=parse_corpora(names), seeds=[0])
        plans = baseline_jobs(changed, ["egemaps"]), transfer_jobs(changed, ["scratch", "all"])
        return {job.name: job for jobs in plans for job in jobs}

    fewer, more = plan("x", "y"), plan("x", "y", "w")
    for job in fewer.values():
        job.begin()
        if job.is_network:
            save(job)
    for job in more.values():
        job.check_folder()
        assert not job.is_finished()
    own = {name for name in fewer if name.startswith(("scratch/", "egemaps/"))}
    assert fewer.keys() & more.keys() == own
    assert all(fewer[name].config == more[name].config for name in own)
