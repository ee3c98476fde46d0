"""The cache of compiled programs that the scripts turn on."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
from emojax.compilation import use_compilation_cache

kept = {call}
import emojax.inference.api
import jax
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
result = jax.jit(lambda x: (x @ x).sum())(jax.numpy.eye(3))
print(kept, jax.config.jax_compilation_cache_dir, float(result))
"""


def run(cache_home, call="use_compilation_cache()", **environment):
    for name in os.environ:
        if not name.startswith(("JAX_COMPILATION", "JAX_PERSISTENT", "EMOJAX_COMPILATION")):
            environment.setdefault(name, os.environ[name])
    environment["XDG_CACHE_HOME"] = str(cache_home)
    command = [sys.executable, "-c", PROGRAM.format(call=call)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert not done.stderr
    kept, folder, result = done.stdout.split()
    assert result == "3.0"
    return kept == "True", folder


def test_a_program_is_compiled_once(tmp_path):
    folder = tmp_path / "emojax" / "xla"
    assert run(tmp_path) == (True, str(folder))
    assert folder.stat().st_mode & 0o077 == 0  # what lies there is run
    written = {path.name: path.stat().st_mtime_ns for path in folder.glob("*-cache")}
    assert written
    assert run(tmp_path) == (True, str(folder))
    assert written == {path.name: path.stat().st_mtime_ns for path in folder.glob("*-cache")}


def test_half_a_file_is_compiled_again_without_a_word(tmp_path):
    run(tmp_path)
    written = list((tmp_path / "emojax" / "xla").glob("*-cache"))
    assert written
    for path in written:
        path.write_bytes(path.read_bytes()[:100])
    assert run(tmp_path)[0]


@pytest.mark.parametrize(
    ("call", "environment"),
    [
        ("None", {}),  # an import changes nothing
        ("use_compilation_cache()", {"EMOJAX_COMPILATION_CACHE": "0"}),
    ],
)
def test_neither_an_import_nor_the_switched_off_call_changes_the_process(
    call, environment, tmp_path
):
    assert run(tmp_path, call, **environment) == (False, "None")
    assert not (tmp_path / "emojax").exists()


def test_jaxs_own_setting_stays(tmp_path):
    mine = str(tmp_path / "mine")
    assert run(tmp_path, JAX_COMPILATION_CACHE_DIR=mine) == (False, mine)


def test_a_folder_that_cannot_be_written_is_no_cache(tmp_path):
    (tmp_path / "file").touch()
    assert run(tmp_path / "file") == (False, "None")
