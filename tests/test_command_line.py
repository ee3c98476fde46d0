"""A fault of a person or a machine ends in one line and an exit status."""

import signal

import pytest

from emojax.command_line import STOPPED, command


@pytest.fixture(autouse=True)
def handlers():
    """Handlers of a command that was started at a terminal."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("width=0; give 1"), "demo: width=0; give 1"),
        (
            FileNotFoundError(2, "No such file or directory", "a.csv"),
            "demo: a.csv: No such file or directory",
        ),
        (OSError(28, "No space left on device"), "demo: No space left on device"),
        (ValueError("label \x1b[2Jcalm"), r"demo: label \x1b[2Jcalm"),
        (FloatingPointError("the loss is not finite"), "demo: the loss is not finite"),
        (MemoryError(), "demo: out of memory; give a smaller --config.batch_size"),
        (
            RuntimeError("RESOURCE_EXHAUSTED: 3 GB\nmore"),
            "demo: out of memory: RESOURCE_EXHAUSTED: 3 GB",
        ),
        (
            ModuleNotFoundError("No module named 'statsmodels'", name="statsmodels"),
            "emojax[statistics]",
        ),
        (
            ModuleNotFoundError("No module named 'opensmile'", name="opensmile.core"),
            "emojax[baselines]",
        ),
        (
            ModuleNotFoundError("No module named 'other'", name="other"),
            "demo: No module named 'other'",
        ),
    ],
)
def test_a_fault_is_one_line_and_status_1(error, line, capsys):
    with pytest.raises(SystemExit) as end, command("demo", again="stopped"):
        raise error
    said = capsys.readouterr().err
    assert end.value.code == 1
    assert line in said
    assert said.count("\n") == 1


def test_a_fault_of_the_program_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), command("demo", again="stopped"):
        raise ZeroDivisionError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_says_that_it_can_go_on(number, capsys):
    with pytest.raises(SystemExit) as end, command("demo", again="the same command goes on"):
        signal.raise_signal(number)
    assert end.value.code == STOPPED
    assert capsys.readouterr().err == "demo: the same command goes on\n"
