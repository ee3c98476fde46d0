"""Error handling of all commands: an expected error ends in one line and an exit status."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from typing import NoReturn

from emojax.files import printable

# Exit status of a stopped command that resumes when it is called again (sysexits.h).
STOPPED = os.EX_TEMPFAIL
_FAULTS = (ValueError, OSError, ImportError, FloatingPointError, MemoryError)


@contextlib.contextmanager
def command(name: str, *, again: str, several: bool = False) -> Iterator[None]:
    """End in one line instead of a traceback, unless the error is a bug of the program.

    Args:
      name: name of the command; each line begins with it.
      again: message for the user who stopped the command.
      several: True for one of several processes, which exits at once, since JAX would wait for the
        others.

    Raises:
      SystemExit: status 1 for a fault, 75 after Ctrl-C or SIGTERM.
    """
    # SLURM and spot machines send SIGTERM; handle it like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt as stop:
        _leave(f"{name}: {str(stop) or again}", STOPPED, several)
    except _FAULTS as error:
        _leave(f"{name}: {_in_words(error)}", 1, several)
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            _leave(f"{name}: out of memory: {str(error).splitlines()[0]}; {_SMALLER}", 1, several)
        if not several:
            raise
        _leave(traceback.format_exc(), 1, several)


_SMALLER = (
    "give a smaller --config.batch_size, --config.window_s or --config.width, in a new --workdir"
)


def _in_words(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return f"out of memory; {_SMALLER}"
    if isinstance(error, ImportError):
        extra = _extra_with(error.name or "")
        return f'{error}; pip install "emojax[{extra}]"' if extra else str(error)
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    return str(error) or type(error).__name__


def _extra_with(module: str) -> str:
    """Return the extra that installs a module; empty if there is none."""
    with contextlib.suppress(PackageNotFoundError):
        for line in requires("emojax") or []:
            found = re.match(r"([\w-]+).*extra == .(\w+)", line)
            if (
                found
                and found[2] != "test"
                and found[1].replace("-", "_") == module.partition(".")[0]
            ):
                return found[2]
    return ""


def _leave(message: str, status: int, at_once: bool) -> NoReturn:
    # Names and labels come from elsewhere: no character may steer the terminal.
    print(*map(printable, message.splitlines()), sep="\n", file=sys.stderr, flush=True)
    if at_once:
        os._exit(status)
    raise SystemExit(status) from None
