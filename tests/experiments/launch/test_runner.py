import time

from emojax.experiments.launch.runner import LOG, MARK, run
from emojax.experiments.launch.scheduler import command_of, execute


def test_a_run_that_a_killed_plan_left_going_is_waited_for(here, fake, begun):
    job = fake("slow", "import time; time.sleep(2)")
    job.begin()
    # What begins a job, without anybody who waits for it.
    left = here.submit(command_of(job))
    while not begun(job):
        time.sleep(0.02)
    assert not left.done()
    assert execute([job], here) == {}
    assert left.done()
    assert job.is_finished()
    assert begun(job) == 1


def test_the_first_command_that_fails_is_the_last(tmp_path):
    commands = [("-c", "print('one')"), ("-c", "raise SystemExit(3)"), ("-c", "print('three')")]
    assert run(tmp_path, commands) == 3
    assert (tmp_path / LOG).read_text() == "one\n"
    assert not (tmp_path / MARK).exists()
    assert run(tmp_path, commands[:1]) == 0
    assert (tmp_path / MARK).exists()
    assert run(tmp_path, commands) == 0  # it is done
