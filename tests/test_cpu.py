import os
import platform
import subprocess
import sys

import pytest

from emojax import cpu

PROGRAM = """
import resource
from emojax.cpu import use_fast_allocator

kept = {call}
faults = []
for _ in range(6):
    b"x" * (32 << 20)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(kept, faults[-1] - faults[0])
"""
FAULTS = 5 * (32 << 20) // 4096  # of five buffers that are taken from the kernel anew
glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")


def run(call, switch="1"):
    environment = {**os.environ, "EMOJAX_FAST_ALLOCATOR": switch}
    command = [sys.executable, "-c", PROGRAM.format(call=call)]
    kept, faults = subprocess.check_output(command, env=environment, text=True).split()
    return kept, int(faults)


@glibc
def test_freed_memory_is_used_again():
    kept, faults = run("use_fast_allocator()")
    assert kept == "True"
    assert faults < 0.1 * FAULTS


@glibc
@pytest.mark.parametrize(
    ("call", "switch"),
    [("__import__('emojax.inference.api') and None", "1"), ("use_fast_allocator()", "0")],
)
def test_neither_an_import_nor_the_switched_off_call_changes_the_process(call, switch):
    kept, faults = run(call, switch)
    assert kept in ("None", "False")
    assert faults > 0.9 * FAULTS


def test_without_glibc_nothing_happens(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.delenv("EMOJAX_FAST_ALLOCATOR", raising=False)
    monkeypatch.setattr(cpu.ctypes, "CDLL", missing)
    assert not cpu.use_fast_allocator()
