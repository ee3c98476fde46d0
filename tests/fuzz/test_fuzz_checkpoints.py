"""Edited manifests and damaged arrays: loaded, or one error, soon; more by ``--fuzz-rounds=N``."""

import json
import shutil
import time

import numpy as np
import pytest

import emojax

EDITS_A_ROUND = 12
VALUES = (None, 0, -1, 8, 10**9, 1.5, "x", "", [], {}, ["a", "a"], True, "../../etc", "\x1b[2J")


def edited(dice, manifest):
    """A manifest in which one entry, at any depth, is another, is gone or is new."""
    place = manifest = json.loads(json.dumps(manifest))
    while True:
        key = str(dice.choice(sorted(place)))
        if isinstance(place[key], dict) and place[key] and dice.random() < 0.7:
            place = place[key]
            continue
        if dice.random() < 0.3:
            del place[key]
        else:
            place[key] = VALUES[dice.integers(len(VALUES))]
        return manifest


def damage(dice, path):
    content = bytearray(path.read_bytes())
    kind = dice.integers(3)
    if kind == 0:
        path.unlink()
    elif kind == 1 or not content:
        path.write_bytes(content[: dice.integers(len(content) + 1) // 2])
    else:
        content[dice.integers(len(content))] ^= 1 << dice.integers(8)
        path.write_bytes(content)


def load(workdir):
    """Load, in less than ten seconds; True where it could be, and a printable error elsewhere."""
    begin_s, said = time.monotonic(), ""
    try:
        emojax.load(workdir, corpus="tones")
    except ValueError as error:
        said = str(error)
    assert time.monotonic() - begin_s < 10
    assert said.replace("\n", "").isprintable()
    return not said


@pytest.fixture
def copy(tiny_run, tmp_path):
    """A run of one checkpoint, and the folder of its step."""
    newest = max((tiny_run / "checkpoints").glob("[0-9]*"), key=lambda path: int(path.name))
    shutil.copytree(newest, tmp_path / "checkpoints" / newest.name)
    return tmp_path, tmp_path / "checkpoints" / newest.name


def test_an_edited_manifest_is_loaded_or_refused(copy, fuzz_rounds):
    workdir, step = copy
    path = step / "manifest" / "metadata"
    whole = json.loads(path.read_text())
    loaded = 0
    for seed in range(EDITS_A_ROUND * fuzz_rounds):
        path.write_text(json.dumps(edited(np.random.default_rng(seed), whole)))
        loaded += load(workdir)
    assert loaded < EDITS_A_ROUND * fuzz_rounds


def test_damaged_files_are_refused(copy, fuzz_rounds, tmp_path_factory):
    workdir, step = copy
    used = [
        *step.glob("best-shared/**/*"),
        *step.glob("best-corpus-tones/**/*"),
        *step.glob("*.json"),
    ]
    files = sorted(path for path in used if path.is_file())
    for seed in range(EDITS_A_ROUND * fuzz_rounds):
        dice = np.random.default_rng(seed)
        path = files[dice.integers(len(files))]
        before = path.read_bytes()
        damage(dice, path)
        assert (path.exists() and path.read_bytes() == before) or not load(workdir)
        path.write_bytes(before)
    assert load(workdir)
