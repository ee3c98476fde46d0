"""Settings of all tests, which must be there before jax is imported."""

import atexit
import os
import shutil
import tempfile

# Many tests need the same small programs and the same modules, some of them in processes of their
# own: compile each once.
if (
    "PYTEST_XDIST_WORKER" not in os.environ
):  # workers share the folder of the process that starts them
    _compiled = tempfile.mkdtemp(prefix="emojax-compiled-")
    atexit.register(shutil.rmtree, _compiled, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = f"{_compiled}/xla"
    # Where Python may not write its bytecode beside the modules, every process would compile them.
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = f"{_compiled}/python"
# Most of the time is compiling, of programs that run once; XLA_FLAGS= optimises them as users do.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "0"
