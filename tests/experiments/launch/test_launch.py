import dataclasses
import shutil

import pytest
from minimal_manifest import MANIFEST

from emojax.baselines.feature_sets import FeatureSet
from emojax.checkpoints import Checkpoints
from emojax.data.partitioned import open_corpora
from emojax.experiments.corpus_arguments import parse_corpora
from emojax.experiments.launch.job import scored
from emojax.experiments.launch.launch import carry_out
from emojax.experiments.launch.plan import transfer_jobs
from emojax.experiments.launch.runner import MARK
from emojax.experiments.launch.scheduler import execute
from emojax.experiments.launch.spec import read_config_file
from emojax.training.run import make_manifest
from emojax.training.transfer import base_of, with_network_of_base


def test_a_folder_of_other_settings_is_refused(spec, save):
    (job, *_) = transfer_jobs(spec, ["scratch"])
    job.begin()
    save(job)
    assert not job.is_finished()
    other = dataclasses.replace(job, config={**job.config, "width": 5})
    with pytest.raises(ValueError, match=r"config\.width: the checkpoint has 16, this run has 5"):
        carry_out([other], spec, "here")  # before it looks for the corpora, which do not exist


def test_what_is_finished_is_not_run_again(
    spec, here, fake, begun, tiny_config, tiny_paths, capsys
):
    corpora = parse_corpora(tiny_config.paths.corpora.split(","))
    changed = dataclasses.replace(
        spec, corpora=corpora, bases={}, data_dir=tiny_config.paths.data_dir
    )
    jobs = [fake("one"), fake("two")]
    assert execute(jobs, here) == {}
    assert carry_out(jobs, changed, "here") == (scored(jobs), {})
    assert "2 runs, 2 of them finished before" in capsys.readouterr().out
    assert [begun(job) for job in jobs] == [1, 1]
    with pytest.raises(ValueError, match=r"^unknown corpus 'x'"):
        carry_out(jobs, spec, "here")


def test_a_corpus_that_changed_is_refused_and_one_that_moved_is_not(
    tmp_path, spec, tiny_sources, fake, begun
):
    def plan(source):
        corpora = parse_corpora([f"levels={source}"])
        changed = dataclasses.replace(
            spec, corpora=corpora, bases={}, data_dir=str(source / "data")
        )
        carry_out([job], changed, "here")

    job = fake("one", corpora=["levels"])
    shutil.copytree(tiny_sources / "levels", tmp_path / "before")
    plan(tmp_path / "before")
    shutil.move(tmp_path / "before", tmp_path / "now")
    plan(tmp_path / "now")
    assert begun(job) == 1
    table = tmp_path / "now" / "labels.csv"
    table.write_text(table.read_text().replace("0_loud_0.wav,loud", "0_loud_0.wav,soft"))
    with pytest.raises(
        ValueError, match=r"a run on other data: levels changed since then .*another --out"
    ):
        plan(tmp_path / "now")
    assert begun(job) == 1


def test_pooled_svms_know_who_is_in_which_fold(tmp_path, spec, tiny_sources, fake):
    source = tmp_path / "levels"
    shutil.copytree(tiny_sources / "levels", source)
    corpora = parse_corpora([f"levels={source}"])
    changed = dataclasses.replace(spec, corpora=corpora, bases={}, data_dir=str(tmp_path / "data"))
    job = fake("one", corpora=["levels"])
    job = dataclasses.replace(job, config={"partition": "fold:5", "seed": 0})
    carry_out([job], changed, "here")
    carry_out([job], changed, "here")
    table = source / "labels.csv"
    rows = table.read_text().replace("3_loud_0.wav,loud,3", "3_loud_0.wav,loud,4")
    table.write_text(rows)
    with pytest.raises(ValueError, match="a run on other data: levels changed since then"):
        carry_out([job], changed, "here")


def test_labels_without_levels_are_refused_before_the_first_run(spec, tiny_config, tiny_paths):
    corpora = parse_corpora(tiny_config.paths.corpora.split(","))
    changed = dataclasses.replace(
        spec, corpora=corpora, bases={}, data_dir=tiny_config.paths.data_dir
    )
    with pytest.raises(
        ValueError, match=r"tones: high, low, middle; levels: loud, soft.*--label_words"
    ):
        carry_out(transfer_jobs(changed, ["scratch", "valence"]), changed, "here")
    assert not (changed.out / "runs" / "scratch").exists()


def test_what_cannot_be_divided_is_refused_before_the_first_run(
    spec, tiny_config, tiny_sources, tmp_path
):
    rows = (tiny_sources / "tones" / "labels.csv").read_text().splitlines()
    (tmp_path / "two").mkdir()
    kept = [row for row in rows if row.startswith(("file", "0_", "1_"))]
    (tmp_path / "two" / "labels.csv").write_text("\n".join(kept))
    for wav in [*tiny_sources.glob("tones/0_*"), *tiny_sources.glob("tones/1_*")]:
        shutil.copy(wav, tmp_path / "two")
    corpora = parse_corpora([tiny_config.paths.corpora.split(",")[1], f"two={tmp_path / 'two'}"])
    changed = dataclasses.replace(spec, corpora=corpora, bases={}, data_dir=str(tmp_path / "data"))
    with pytest.raises(ValueError, match=r"^corpus two: .*three speakers"):
        carry_out(transfer_jobs(changed, ["scratch", "all"]), changed, "here")
    assert not (changed.out / "runs" / "scratch").exists()


def test_speakers_that_cannot_be_normalised_are_refused_before_the_first_run(
    spec, tiny_sources, tmp_path
):
    shutil.copytree(tiny_sources / "tones", tmp_path / "mute")
    table = tmp_path / "mute" / "labels.csv"
    table.write_text("\n".join(row.rpartition(",")[0] for row in table.read_text().splitlines()))
    corpora = parse_corpora([f"levels={tiny_sources / 'levels'}", f"mute={tmp_path / 'mute'}"])
    places = {"corpora": corpora, "bases": {}, "data_dir": str(tmp_path / "data")}
    changed = dataclasses.replace(spec, **places, speaker_normalisation=True)
    features = FeatureSet("noise", "noise", {}, lambda *_: pytest.fail("extracted"))

    jobs = [changed.svm(features, name, 0) for name in corpora]
    with pytest.raises(
        ValueError, match=r"the speaker of every clip, which mute does not name; .*leave"
    ):
        carry_out(jobs, changed, "here")
    assert not any(job.folder.exists() for job in jobs)


def test_all_that_preparing_says_is_said(spec, tmp_path, fake):
    changed = dataclasses.replace(
        spec, corpora=parse_corpora(["emodb"]), bases={}, source_dir=str(tmp_path)
    )
    with pytest.raises(ValueError, match=rf"(?s){tmp_path}.*(put|give|--source_dir)"):
        carry_out([fake("one")], changed, "here")


def test_networks_are_known_by_what_train_py_notes(spec, tiny_config, tiny_paths, capsys):
    items = parse_corpora(tiny_config.paths.corpora.split(","))
    own = {"tones": items["tones"]}
    changed = dataclasses.replace(
        spec, corpora=items, bases={}, data_dir=tiny_config.paths.data_dir
    )

    def finished(name, file, corpora, base=None, **changes):
        """A job whose folder holds what train.py and evaluate.py leave, without the training."""
        job = changed.network(name, file, corpora, {"best": name}, base, **changes)
        start = {"base": str(base.folder)} if base else {}
        config = with_network_of_base(read_config_file(file).replace(**changes, **start))
        opened = open_corpora({name: tiny_paths[name] for name in corpora}, **vars(config.data))
        checkpoints = Checkpoints(job.folder)
        manifest = {**MANIFEST, **make_manifest(config, opened), **base_of(config)}
        checkpoints.save(1, {}, manifest)
        checkpoints.close()
        for file in ("results.json", MARK):
            (job.folder / file).touch()
        return job

    scratch = finished("scratch", "configs/quickstart.py", own, adapters=False)
    tuned = finished("tuned", "configs/adapt.py", items, scratch, base_corpus="tones")
    words = "high=anger,middle=joy,low=sadness,loud=fear,soft=neutral"
    levels = {"domains": "arousal", "label_words": words}
    domain = finished("domain", "configs/multi_corpus.py", items, **levels)
    jobs = [scratch, tuned, domain]
    assert carry_out(jobs, changed, "here") == ({job.name: [job.folder] for job in jobs}, {})
    assert "3 runs, 3 of them finished before" in capsys.readouterr().out
    wider = dataclasses.replace(scratch, config={**scratch.config, "depth": 9})
    with pytest.raises(
        ValueError, match=r"tuned has a run of other.*\s+base\.config\.depth: .* has 9"
    ):
        dataclasses.replace(tuned, after=[wider]).check_folder()
