import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from emojax.experiments.launch import scheduler as module
from emojax.experiments.launch.job import scored
from emojax.experiments.launch.runner import holding
from emojax.experiments.launch.scheduler import execute, make_engine


def test_a_stopped_plan_goes_on_where_it_was(tmp_path, here, monkeypatch, fake, begun):
    slow = "import os, time; os.path.exists('{0}') or (open('{0}', 'w'), time.sleep(60))".format(
        tmp_path / "2nd"
    )
    jobs = [fake("first"), fake("slow", slow)]
    jobs.append(fake("last", after=[jobs[1]]))
    sleep = time.sleep

    def interrupting(seconds):
        sleep(seconds)
        if begun(jobs[1]) and (tmp_path / "2nd").exists():
            raise KeyboardInterrupt

    monkeypatch.setattr(module.time, "sleep", interrupting)
    began_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        execute(jobs, here)
    assert time.monotonic() - began_s < 30
    assert [job.is_finished() for job in jobs] == [True, False, False]
    monkeypatch.setattr(module.time, "sleep", sleep)
    assert execute([job for job in jobs if not job.is_finished()], here) == {}
    assert all(job.is_finished() for job in jobs)
    assert [begun(job) for job in jobs] == [1, 2, 1]


def test_one_that_fails_loses_only_those_that_build_on_it(tmp_path, here, capsys, fake):
    jobs = [fake("bad", "raise SystemExit('train.py: no such corpus')"), fake("good")]
    jobs.append(fake("on_bad", after=[jobs[0]]))
    jobs.append(fake("on_that", after=[jobs[2]]))
    failed = execute(jobs, here)
    assert failed == {
        "bad": "train.py: no such corpus; exit status 1 "
        f"(all of it: {tmp_path / 'bad' / 'log.txt'})",
        "on_bad": "needs bad, which failed",
        "on_that": "needs on_bad, which failed",
    }
    said = capsys.readouterr().err
    assert all(f"{name}: {why}" in said for name, why in failed.items())
    assert scored(jobs) == {"good": [tmp_path / "good"]}
    assert not (tmp_path / "bad" / "results.json").exists()


def test_several_run_at_a_time(tmp_path, fake):
    engine = make_engine("local:2", tmp_path / "jobs")
    jobs = meeting(tmp_path, fake, "a", "b")
    jobs += [fake("bad", "raise SystemExit('broken')"), fake("c", after=jobs[:2])]
    failed = execute(jobs, engine)
    assert list(failed) == ["bad"]
    assert failed["bad"].startswith("broken; exit status 1 (all of it: ")
    assert [job.is_finished() for job in jobs] == [True, True, False, True]


def meeting(tmp_path, fake, *names):
    """Jobs that wait for each other in a circle, so that they only end together."""
    wait = "open({!r}, 'w')\nimport os, time\nwhile not os.path.exists({!r}): time.sleep(0.05)"
    here = {name: str(tmp_path / name / "here") for name in names}
    pairs = zip(names, [*names[1:], names[0]], strict=True)
    return [fake(name, wait.format(here[name], here[other])) for name, other in pairs]


def test_two_processes_share_the_runs(tmp_path, here, fake, begun):
    jobs = meeting(tmp_path, fake, "a", "b")
    jobs.append(fake("c", after=jobs[:]))
    with ThreadPoolExecutor() as pool:  # locks know of two openings as of two processes
        plans = [pool.submit(execute, jobs, here) for _ in range(2)]
        assert [plan.result(timeout=60) for plan in plans] == [{}, {}]
    assert all(job.is_finished() for job in jobs)
    assert [begun(job) for job in jobs] == [1, 1, 1]


def test_what_another_process_has_finished_meanwhile_is_not_run_again(here, fake, begun):
    jobs = [fake("a"), fake("b")]
    assert execute(jobs[:1], here) == {}
    assert execute(jobs, here) == {}
    assert [begun(job) for job in jobs] == [1, 1]


def test_what_another_process_gives_up_is_taken_over(here, fake, begun):
    job = fake("a")
    job.folder.mkdir()
    with ThreadPoolExecutor() as pool:
        with holding(job.folder):
            plan = pool.submit(execute, [job], here)
            time.sleep(0.5)
            assert not begun(job)
        assert plan.result(timeout=60) == {}
    assert begun(job) == 1


def test_what_an_engine_refuses_fails_alone(fake):
    def submit(command):
        raise RuntimeError("QOSMaxSubmitJobPerUserLimit")

    one = fake("one")
    jobs = [one, fake("on_one", after=[one])]
    failed = execute(jobs, module.Engine(submit, 1))
    assert failed == {
        "one": "could not be begun: QOSMaxSubmitJobPerUserLimit",
        "on_one": "needs one, which failed",
    }


SLURM = {
    # Runs what the batch file held behind our back, as a node would; submitit moves the file at
    # once.
    "sbatch": """#!/bin/sh
        id=$$; script=$(cat "$1")
        (SLURM_JOB_ID=$id SLURM_JOB_NUM_NODES=1 SLURM_NTASKS=1 SLURM_PROCID=0 SLURM_LOCALID=0 \\
        SLURM_NODEID=0 SLURM_JOB_NODELIST=node1 sh -c "$script" >/dev/null 2>&1 </dev/null &)
        echo "Submitted batch job $id"
    """,
    "srun": """#!/bin/sh
        while [ "${1#--}" != "$1" ]; do case $1 in --output|--error) shift 2;; *) shift;; esac; done
        exec "$@"
    """,
    "sacct": "#!/bin/sh\necho 'JobID|State|NodeList'\n",
    "scancel": "#!/bin/sh\n",
}


def test_a_cluster_runs_them_through_sbatch(tmp_path, monkeypatch, fake):
    pytest.importorskip("submitit", reason='needs submitit: pip install "emojax[cluster]"')
    for name, script in SLURM.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    engine = make_engine("slurm:timeout_min=7,slurm_partition=fast", tmp_path / "jobs")
    jobs = [fake("good"), fake("bad", "raise SystemExit('broken')")]
    assert list(execute(jobs, engine)) == ["bad"]
    assert jobs[0].is_finished()
    (batch, *_) = (tmp_path / "jobs").glob("*.sh")
    assert "#SBATCH --partition=fast" in batch.read_text()
    with pytest.raises(ValueError, match=r"--engine=slurm: .*nonsense"):
        make_engine("slurm:nonsense=1", tmp_path / "jobs")


@pytest.mark.parametrize("text", ["", "nope", "local", "local:0", "local:many", "here:2"])
def test_an_unknown_engine_is_an_error_with_the_choices(text, tmp_path):
    with pytest.raises(ValueError, match=r"choose of here, local:2 .* or slurm"):
        make_engine(text, tmp_path)


@pytest.mark.skipif(shutil.which("srun") is not None, reason="there is a SLURM here")
def test_no_slurm_is_one_clear_error(tmp_path):
    pytest.importorskip("submitit", reason='needs submitit: pip install "emojax[cluster]"')
    with pytest.raises(ValueError, match=r"--engine=slurm: .*srun"):
        make_engine("slurm:timeout_min=60", tmp_path)
