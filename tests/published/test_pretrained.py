"""One function finds what a person typed: a run, a folder, a model of the package or of the hub."""

import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

import emojax
from emojax import pretrained

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path, monkeypatch, exported):
    """A package with one model, emojax-tiny."""
    shutil.copytree(exported, tmp_path / "package" / "emojax-tiny")
    monkeypatch.setattr(pretrained, "_HERE", tmp_path / "package")
    return tmp_path / "package"


def test_a_name_is_a_model_of_the_package_from_any_folder(package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert emojax.load("emojax-tiny", "levels").labels == ("loud", "soft")


def test_models_of_the_package_are_installed_with_it():
    settings = (ROOT / "setup.cfg").read_text()
    assert "emojax.pretrained = */*" in settings
    for name in pretrained.names():
        assert emojax.load(name, next(iter(pretrained.read_manifest(name)["corpora"]))).labels


def test_the_package_wins_over_a_folder_of_that_name_and_says_so(package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "emojax-tiny").mkdir()
    with pytest.warns(UserWarning, match=r"not the folder \./emojax-tiny"):
        assert pretrained.find("emojax-tiny") == package / "emojax-tiny"
    for typed in ("./emojax-tiny", Path("emojax-tiny")):
        assert pretrained.find(typed) == Path("emojax-tiny")


@pytest.mark.parametrize("typed", ["emojax-large", "no/such/folder", "../emojax-tiny", ""])
def test_what_is_not_there_lists_the_choices(package, tmp_path, monkeypatch, typed):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"holds no checkpoint|train one") as error:
        emojax.load(typed)
    if typed:
        assert "a model of the package (emojax-tiny)" in str(error.value)


def test_a_package_without_models_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "_HERE", tmp_path)
    with pytest.raises(ValueError, match="this one has none"):
        emojax.load("emojax-small")


def test_a_file_is_answered_by_its_folder(exported):
    with pytest.raises(ValueError, match=f"it is a file; give its folder, {exported}"):
        emojax.load(exported / "model.safetensors")


def test_a_run_may_hold_a_file_named_like_a_published_models(tiny_run, tmp_path):
    shutil.copytree(tiny_run / "checkpoints", tmp_path / "checkpoints")
    (tmp_path / "config.json").write_text("{}")
    assert emojax.load(tmp_path, "levels").labels == ("loud", "soft")


def test_the_common_emotions_are_the_corpus_if_none_is_given(exported, monkeypatch):
    with pytest.raises(ValueError, match="give corpus=, one of tones, levels"):
        emojax.load(exported)
    monkeypatch.setattr("emojax.inference.network.EMOTION", "levels")
    assert emojax.load(exported).corpus == "levels"
    assert emojax.load(exported, "tones").corpus == "tones"


def test_a_published_model_needs_no_orbax_checkpoint_nor_network(exported, tmp_path):
    script = f"import emojax; print(emojax.load({str(exported)!r}, 'tones').labels)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "('high', 'low', 'middle')", done.stderr


@pytest.fixture
def hub(tmp_path, monkeypatch, exported):
    """The hub's library, with one repository in a cache laid out like the real one."""
    cache = tmp_path / "models--anna--tiny"
    snapshot = cache / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (cache / "blobs").mkdir()
    for number, name in enumerate(("config.json", "model.safetensors")):
        shutil.copy(exported / name, cache / "blobs" / str(number))
        (snapshot / name).symlink_to(Path("../../blobs") / str(number))
    library = types.SimpleNamespace(sizes={}, online=True, asked=[])

    def snapshot_download(repository, allow_patterns, dry_run=False):
        assert set(allow_patterns) == {"config.json", "model.safetensors"}
        library.asked.append(repository)
        if repository != "anna/tiny":
            raise OSError(f"404: no repository {repository}\x1b[2J\nmore")
        if not dry_run:
            return str(snapshot)
        if not library.online:
            raise OSError("no network")
        return [
            types.SimpleNamespace(filename=name, file_size=size)
            for name, size in library.sizes.items()
        ]

    library.snapshot_download = snapshot_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", library)
    pretrained._fetched.cache_clear()
    yield library
    pretrained._fetched.cache_clear()


@pytest.mark.parametrize("online", [True, False])
def test_a_model_of_the_hub_is_fetched_once_and_serves_without_network(hub, online):
    hub.online = online
    assert emojax.load("hf:anna/tiny", "tones").labels == ("high", "low", "middle")
    asked = len(hub.asked)
    emojax.load("hf:anna/tiny", "levels")
    assert len(hub.asked) == asked


def test_a_repository_that_is_not_there_is_one_line(hub):
    with pytest.raises(ValueError, match=r"hf:anna/none cannot be fetched \(404: .*check") as error:
        emojax.load("hf:anna/none")
    assert str(error.value).isprintable()


def test_a_huge_file_of_the_hub_is_not_fetched(hub):
    hub.sizes = {"model.safetensors": 10**11}
    with pytest.raises(ValueError, match=r"model\.safetensors is larger than 268 MB"):
        emojax.load("hf:anna/tiny")


def test_without_the_hubs_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    pretrained._fetched.cache_clear()
    with pytest.raises(ValueError, match=r'pip install "emojax\[hub\]"'):
        emojax.load("hf:anna/tiny")
