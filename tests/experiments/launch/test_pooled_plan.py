import dataclasses
import hashlib

import pytest
from minimal_manifest import MANIFEST

from emojax.checkpoints import Checkpoints, read_manifest
from emojax.experiments.corpus_arguments import parse_corpora
from emojax.experiments.launch.launch import _with_partitions
from emojax.experiments.launch.pooled_plan import pooled_jobs


def flags_of(command):
    return dict(flag.partition("=")[::2] for flag in command[1:])


@pytest.fixture
def tiny_spec(spec, tiny_config, tiny_paths, monkeypatch):
    """A request for the tiny corpora, which are prepared and have five speakers each."""
    monkeypatch.setattr("emojax.experiments.launch.launch.prepare", lambda *_: None)
    places = {"bases": {}, "data_dir": tiny_config.paths.data_dir, "seeds": [1]}
    return dataclasses.replace(
        spec, corpora=parse_corpora(tiny_config.paths.corpora.split(",")), **places
    )


def test_pooled_folds_leave_a_fold_of_every_corpus_out_at_once(tiny_spec):
    jobs = {job.name: job for job in pooled_jobs(tiny_spec, [], 4)}
    digest = hashlib.blake2b(b"tones,levels", digest_size=4).hexdigest()
    shared = [f"shared/shared_2_corpora_{digest}_fold{i}of4_seed1" for i in (1, 2, 3, 4)]
    alone = [
        f"scratch/{name}_fold{i}of4_seed1" for i in (1, 2, 3, 4) for name in ("tones", "levels")
    ]
    svms = [
        f"{kind}/{name}_fold4_seed1"
        for kind in ("egemaps", "compare")
        for name in tiny_spec.corpora
    ]
    assert list(jobs) == [*alone, *shared, *svms]
    second = jobs[shared[1]]
    assert flags_of(second.commands[0])["--config.partition"] == "fold:2/4"
    assert (second.config["partition"], second.corpora) == ("fold:2/4", ["tones", "levels"])
    assert flags_of(jobs[svms[0]].commands[0])["--partition"] == "fold:4"
    settings = {setting for job in jobs.values() for setting in job.results.values()}
    assert settings >= {"scratch", "shared", "egemaps", "compare"}
    assert "" not in {job.results[job.folder] for job in jobs.values() if job.is_network}


def test_a_fold_that_tests_nobody_is_not_run(tiny_spec):
    jobs = list(pooled_jobs(tiny_spec, ["scratch", "shared"], 7))
    folds = {job.config["partition"] for job in jobs}
    assert folds == {f"fold:{i}/7" for i in range(1, 6)}
    assert len(jobs) == 5 + 2 * 5


def test_an_unknown_pooled_setting_is_refused_before_anything_is_prepared(spec):
    with pytest.raises(ValueError, match=r"'nope'; choose of scratch, .*, egemaps, compare"):
        list(pooled_jobs(spec, ["nope"], 6))


def test_a_row_may_change_settings_of_its_network(tiny_spec, tmp_path):
    rows = ["shared", "shared:mixup=0.2:refit=True", "scratch:dropout=0.25"]
    jobs = [*pooled_jobs(tiny_spec, rows, 3)]
    by_row = {setting: job for job in jobs for setting in job.results.values() if setting}
    assert list(by_row) == rows
    plain, mixed, alone = by_row.values()
    changed = {key for key in plain.config if plain.config[key] != mixed.config[key]}
    assert (changed, mixed.config["mixup"]) == ({"mixup", "refit"}, 0.2)
    assert flags_of(mixed.commands[0])["--config.refit"] == "True"
    assert alone.config["dropout"] == 0.25
    assert mixed.name.startswith("shared_mixup=0.2_refit=True/shared_2_corpora")
    assert len({job.folder for job in jobs}) == len(jobs)
    spec = train_base(tmp_path / "base", tiny_spec, "others")
    jobs = [*pooled_jobs(spec, ["adapt:transfer=norms"], 3)]
    assert {job.config["transfer"] for job in jobs} == {"norms"}
    with pytest.raises(ValueError, match="width stays 5, whatever is given; leave it out"):
        next(pooled_jobs(spec, ["adapt:width=8"], 3))
    (job, *_) = pooled_jobs(spec, ["adapt:learning_rates=(0.01,)"], 3)
    assert job.config["learning_rates"] == [0.01]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("shared:mixup", r"'mixup' is no change; give NAME:KEY=VALUE"),
        ("shared:partition=all", r"partition is not a row's to change"),
        ("shared:mixupp=0.2", r"there is no setting mixupp"),
        ("shared:mixup=lots", r"mixup='lots'; give a number"),
        ("egemaps:C=1", r"egemaps has no settings to change"),
        ("shred:mixup=0.2", r"'shred:mixup=0.2'; choose of scratch"),
    ],
)
def test_a_wrong_change_is_named(tiny_spec, row, said):
    with pytest.raises(ValueError, match=said):
        list(pooled_jobs(tiny_spec, [row], 3))


@pytest.fixture
def one_spec(tiny_spec):
    """A request for one corpus."""
    (first, *_) = tiny_spec.corpora.items()
    return dataclasses.replace(tiny_spec, corpora=dict([first]))


def train_base(folder, spec, *corpora, **more):
    """A trained network of some corpora, without the training."""
    config = spec.network("any", "configs/quickstart.py", {}, {}, width=5).config
    noted = {name: {"protocol": "", "digest": "1"} for name in corpora}
    checkpoints = Checkpoints(folder)
    checkpoints.save(
        1, {}, {**MANIFEST, "config": {**config, "base": ""}, "partitions": noted, **more}
    )
    checkpoints.close()
    return dataclasses.replace(spec, base=str(folder))


def test_one_corpus_has_no_shared_network_unless_asked_for(one_spec):
    settings = [next(iter(job.results.values())) for job in pooled_jobs(one_spec, [], 6)]
    assert list(dict.fromkeys(settings)) == ["scratch", "egemaps", "compare"]
    assert len(settings) == 5 + 2
    (job, *_) = pooled_jobs(one_spec, ["shared"], 6)
    assert list(job.results.values()) == ["shared"]


def test_a_base_is_adapted_on_each_fold_of_each_corpus(one_spec, tmp_path):
    spec = train_base(tmp_path / "base", one_spec, "others")
    jobs = [job for job in pooled_jobs(spec, [], 6) if "adapt" in job.results.values()]
    assert [job.name for job in jobs] == [f"adapt/tones_fold{i}of6_seed1" for i in range(1, 6)]
    train = flags_of(jobs[1].commands[0])
    assert train["--config"] == spec.tune_config
    assert train["--config.base"] == spec.base
    assert (train["--config.partition"], train["--config.seed"]) == ("fold:2/6", "1")
    assert jobs[1].config["width"] == 5  # train.py takes the base's
    assert jobs[1].config["transfer"] == "finetune"
    assert jobs[1].after == []


def test_an_adapted_run_goes_on_with_the_same_base_only(one_spec, tmp_path):
    spec = train_base(tmp_path / "base", one_spec, "others")
    (job, *_) = _with_partitions([*pooled_jobs(spec, ["adapt"], 6)][:1], spec)
    checkpoints = Checkpoints(job.folder)
    base = {"config": job.base["config"], "partitions": read_manifest(spec.base)["partitions"]}
    noted = {"config": {**job.config, "base": "moved"}, "partitions": job.partitions}
    checkpoints.save(1, {}, {**MANIFEST, **noted, "base": base})
    checkpoints.close()
    job.check_folder()
    other = train_base(tmp_path / "other", one_spec, "different")
    (job, *_) = pooled_jobs(other, ["adapt"], 6)
    with pytest.raises(ValueError, match=r"adapt/.* other settings.*\n.*base\.partitions\.differ"):
        job.check_folder()


def test_a_base_that_learnt_from_what_is_tested_is_refused_at_once(one_spec, tmp_path):
    spec = train_base(tmp_path / "base", one_spec, "tones", "others")
    with pytest.raises(ValueError, match=r"--base=.*base learnt from tones, .*another name"):
        next(pooled_jobs(spec, [], 6))
    older = {"base": {"partitions": {"tones": {}}, "config": {}}}
    spec = train_base(tmp_path / "young", one_spec, "others", **older)
    with pytest.raises(ValueError, match=r"young learnt from tones, "):
        next(pooled_jobs(spec, [], 6))


def test_adapt_and_a_base_belong_together(spec, tmp_path):
    with pytest.raises(ValueError, match=r"adapt starts from .* --base=RUN .*both, or neither"):
        next(pooled_jobs(spec, ["scratch", "adapt"], 6))
    with pytest.raises(ValueError, match="both, or neither"):
        next(pooled_jobs(train_base(tmp_path / "base", spec, "others"), ["scratch"], 6))
    with pytest.raises(ValueError, match="nowhere"):
        next(pooled_jobs(dataclasses.replace(spec, base="nowhere"), [], 6))


def test_a_shared_network_may_have_a_domain_of_common_emotions(tiny_spec):
    words = "high=anger,middle=joy,low=sadness"
    spec = dataclasses.replace(tiny_spec, label_words=words)
    jobs = list(pooled_jobs(spec, ["shared", "shared_emotion"], 3))
    assert [list(job.results.values()) for job in jobs] == [["shared"]] * 3 + [
        ["shared_emotion"]
    ] * 3
    train = flags_of(jobs[3].commands[0])
    assert (train["--config.domains"], train["--config.label_words"]) == ("corpora+emotion", words)
    assert "--config.domains" not in flags_of(jobs[0].commands[0])
    (job, *_) = _with_partitions(jobs[3:4], spec)
    assert list(job.partitions) == ["tones", "levels", "emotion"]


def test_a_fusion_runs_nothing_and_needs_its_parts(tiny_spec):
    without = [job.name for job in pooled_jobs(tiny_spec, ["shared", "compare"], 6)]
    fused = ["shared", "compare", "shared+compare"]
    assert [job.name for job in pooled_jobs(tiny_spec, fused, 6)] == without
    with pytest.raises(ValueError, match=r"shared\+compare fuses 'compare', .* are: shared"):
        next(pooled_jobs(tiny_spec, ["shared", "shared+compare"], 6))
