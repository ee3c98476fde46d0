"""What XLA makes of a run for TPUs that are not there; nothing of it runs."""

import importlib.util
import re

import compiled
import cycles
import jax
import pytest

from configs import base
from emojax.config import read_config

# An older compiler describes no single chip.
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("libtpu") is None or jax.__version_info__ < (0, 12),
    reason="needs jax 0.12 (Python 3.12) and the compiler: pip install -e '.[tpu_compile]'",
)
SMALL = {"width": 4, "depth": 1, "batch_size": 8, "window_s": 0.3}
SMALL |= {"attention_units": 8, "head_units": 8}
TO_HOST = r" (infeed|outfeed|send|recv)(-done)?\(|S\(5\)|MoveToHost|MoveToDevice"
STEPS = compiled.TUNED_ROUNDS  # of a tuned corpus; as many corpora have the other rounds


def check_loops(hlo):
    """Nothing inside a loop waits for the host."""
    assert not [line for line in cycles.inside_loops(hlo) if re.search(TO_HOST, line)]


def check_dtypes(lowered, hlo):
    """Convolutions multiply bf16, and nothing is in float64, which TPUs have not."""
    convolutions = re.findall(r"stablehlo\.convolution\(.*", lowered.as_text())
    assert convolutions
    assert all(len(re.findall(r"xbf16>", line)) == 3 for line in convolutions)
    assert "f64[" not in hlo


def check_memory(lowered, program):
    """A device holds what it is given, once, and little more."""
    assert compiled.peak_bytes(program) < compiled.argument_bytes(lowered) + 64 * 2**20


# A test for each program, because compiling is what takes the time.
@pytest.mark.parametrize(
    ("name", "topology"),
    [
        ("round", "v5e:1x1"),
        ("round", "v5e:2x2"),
        ("synchronous", "v5e:2x2"),
        ("tune", "v5e:1x1"),
        ("forward", "v5e:1x1"),
    ],
)
def test_a_program_is_one_for_tpus(name, topology):
    config = read_config({**base.get_config().to_dict(), **SMALL})
    programs = compiled.Programs(config, compiled.tpu(topology), corpora=STEPS, windows=1)
    lowered = programs.lower(name)
    program = lowered.compile()
    hlo = program.as_text()
    check_loops(hlo)
    check_dtypes(lowered, hlo)
    check_memory(lowered, program)
    if name != "forward":  # whose parameters are used again
        assert compiled.donated(lowered, program)
    if name in ("round", "tune"):
        assert STEPS in [turns for _, turns in cycles.loops(hlo)]
    if topology == "v5e:2x2":  # chips exchange sums, and no clips
        assert " all-reduce" in hlo
        assert not re.search(r" all-to-all\(|= s16\[\S* all-gather", hlo)
