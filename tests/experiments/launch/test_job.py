import dataclasses
import json

import pytest

from emojax.experiments.launch.job import scored
from emojax.experiments.launch.plan import transfer_jobs
from emojax.experiments.launch.runner import MARK


def test_a_folder_that_does_not_say_its_data_is_refused(fake):
    job = fake("one")
    job.folder.mkdir()
    (job.folder / "job.json").write_text(json.dumps({"config": job.config}))
    with pytest.raises(ValueError, match=r"begun by an older emojax.*give another --out"):
        job.check_folder()


@pytest.mark.parametrize("is_network", [True, False])
def test_a_finished_run_that_says_nothing_of_itself_is_refused(fake, is_network):
    job = dataclasses.replace(fake("one"), is_network=is_network)
    job.folder.mkdir()
    job.check_folder()  # what was never begun can be begun
    (job.folder / MARK).touch()
    with pytest.raises(
        ValueError, match=r"one does not say what data it learnt from.*--workdirs=NAME=FOLDER"
    ):
        job.check_folder()


def test_a_network_is_known_by_its_checkpoint_alone(spec, save):
    (job, *_) = transfer_jobs(spec, ["scratch", "all"])
    job.begin()
    assert [path.name for path in job.folder.iterdir()] == [".job.lock"]
    (job.folder / "checkpoints" / "7.orbax-checkpoint-tmp-1").mkdir(parents=True)
    job.check_folder()  # killed before its first checkpoint
    save(job)
    job.check_folder()
    with pytest.raises(ValueError, match=r"config\.seed: the checkpoint has 0, this run has 1"):
        dataclasses.replace(job, config={**job.config, "seed": 1}).check_folder()


def known(job, **digests):
    """The job once its corpora, and those of its base, are prepared."""
    partitions = {name: {"protocol": "", "digest": digests.get(name, "1")} for name in job.corpora}
    return dataclasses.replace(
        job, partitions=partitions, after=[known(one, **digests) for one in job.after]
    )


def test_a_base_that_learnt_from_other_data_is_another_base(spec, save):
    head = next(
        job for job in transfer_jobs(spec, ["scratch"]) if job.name.startswith("from_z/head")
    )
    save(head)
    known(head).check_folder()
    with pytest.raises(
        ValueError, match=r"from_z/head.* has a run on other data: z changed since then"
    ):
        known(head, z="2").check_folder()
    with pytest.raises(
        ValueError, match=r"from_z/head.* has a run on other data: x, y changed since then"
    ):
        known(head, x="2", y="2").check_folder()


def test_results_stand_in_the_plans_order_and_only_where_a_table_has_them(fake):
    jobs = [fake(name) for name in ("b", "a", "unfinished", "unnamed")]
    jobs[3] = dataclasses.replace(jobs[3], results={jobs[3].folder: ""})
    for job in jobs:
        job.begin()
        (job.folder / "results.json").touch()
        if job is not jobs[2]:
            (job.folder / MARK).touch()
    assert list(scored(jobs).items()) == [("b", [jobs[0].folder]), ("a", [jobs[1].folder])]
