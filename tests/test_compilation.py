"""The cache of compiled programs that the scripts turn on."""

import os
import shutil
import subprocess
import sys

import pytest

from emojax.compilation import use_compilation_cache

PROGRAM = """
{begin}
import jax
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
result = jax.jit(lambda x: (x @ x).sum())(jax.numpy.eye(3))
print(kept, jax.config.jax_compilation_cache_dir, float(result))
"""
SWITCHES = ("JAX_COMPILATION", "JAX_PERSISTENT", "EMOJAX_COMPILATION")
TURNED_ON = "from emojax.compilation import use_compilation_cache; kept = use_compilation_cache()"
IMPORTED = "import emojax.inference.api; kept = None"


def run(cache_home, begin=TURNED_ON):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(SWITCHES)
    }
    environment["XDG_CACHE_HOME"] = str(cache_home)
    command = [sys.executable, "-c", PROGRAM.format(begin=begin)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert not done.stderr
    kept, folder, result = done.stdout.split()
    assert result == "3.0"
    return kept == "True", folder


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The cache of a process that compiled; tests only read it."""
    home = tmp_path_factory.mktemp("home")
    assert run(home) == (True, str(home / "emojax" / "xla"))
    return home


def programs(home):
    return list((home / "emojax" / "xla").glob("*-cache"))


def test_a_program_is_compiled_once(written):
    assert (written / "emojax" / "xla").stat().st_mode & 0o077 == 0  # what lies there is run
    before = {path.name: path.stat().st_mtime_ns for path in programs(written)}
    assert before
    assert run(written)[0]
    assert before == {path.name: path.stat().st_mtime_ns for path in programs(written)}


def test_half_a_file_is_compiled_again_without_a_word(written, tmp_path):
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    assert programs(tmp_path)
    for path in programs(tmp_path):
        path.write_bytes(path.read_bytes()[:100])
    assert run(tmp_path)[0]


def test_an_import_changes_nothing(tmp_path):
    assert run(tmp_path, IMPORTED) == (False, "None")
    assert not (tmp_path / "emojax").exists()


@pytest.mark.parametrize(
    "environment",
    [
        {"EMOJAX_COMPILATION_CACHE": "0"},
        {"JAX_COMPILATION_CACHE_DIR": "mine"},  # JAX's own setting stays
        {"XDG_CACHE_HOME": __file__},  # a folder that cannot be written is no cache
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_where_it_is_not_wanted_or_not_possible_nothing_changes(environment, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(SWITCHES)]:
        monkeypatch.delenv(name)
    for name, value in {"XDG_CACHE_HOME": str(tmp_path), **environment}.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    assert not use_compilation_cache()
    assert os.environ == before
    assert not (tmp_path / "emojax").exists()
