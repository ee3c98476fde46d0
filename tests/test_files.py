"""A file is the old one or the new one, whole, at any moment."""

import os

import pytest

from emojax.files import new_folder, replacing


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("old")
    return path


def half_written(path, error):
    with replacing(path) as draft:
        draft.write_text("half of the n")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_no_draft(path, error):
    with pytest.raises(error):
        half_written(path, error)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_draft_is_on_disk_before_it_takes_the_files_place(path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor):
        done.append(("fsync", os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def noted_replace(draft, target):
        done.append(("replace", str(draft)))
        replace(draft, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    with replacing(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
    assert done == [("fsync", str(draft)), ("replace", str(draft)), ("fsync", str(path.parent))]
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_new_folder_is_there_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "deep" / "folder"
    with pytest.raises(FileNotFoundError), new_folder(folder) as draft:
        (draft / "half" / "missing").touch()
    assert not list(folder.parent.iterdir())
    folder.mkdir()
    (draft / "of a killed process").mkdir(parents=True)
    with new_folder(folder) as draft:
        (draft / "whole").touch()
        assert not list(folder.iterdir())
    assert list(folder.parent.iterdir()) == [folder]
    assert [path.name for path in folder.iterdir()] == ["whole"]
    with pytest.raises(ValueError, match="is not an empty folder"), new_folder(folder):
        pass
    assert [path.name for path in folder.iterdir()] == ["whole"]
