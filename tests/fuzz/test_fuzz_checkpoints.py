"""Edited manifests and damaged arrays: loaded, or one error, soon; more by ``--fuzz-rounds=N``."""

import hashlib
import json
import shutil
import time

import numpy as np
import pytest

import emojax
from emojax.export.hub import export_hub

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


@pytest.fixture
def published(tiny_run, tmp_path):
    return export_hub(str(tiny_run), tmp_path / "tiny")


def test_an_edited_description_of_a_published_model_is_loaded_or_refused(published, fuzz_rounds):
    path = published / "config.json"
    whole = json.loads(path.read_text())
    loaded = 0
    for seed in range(EDITS_A_ROUND * fuzz_rounds):
        path.write_text(json.dumps(edited(np.random.default_rng(seed), whole)))
        loaded += load(published)
    assert loaded < EDITS_A_ROUND * fuzz_rounds


def test_damaged_weights_of_a_published_model_are_refused(published, fuzz_rounds):
    """Also by whoever damages them on purpose, and says so in the description."""
    path, config = published / "model.safetensors", published / "config.json"
    whole, described = path.read_bytes(), json.loads(config.read_text())
    head = 8 + int.from_bytes(whole[:8], "little")
    for seed in range(EDITS_A_ROUND * fuzz_rounds):
        dice = np.random.default_rng(seed)
        content = bytearray(whole)
        content[dice.integers(head)] ^= 1 << dice.integers(8)
        path.write_bytes(content)
        assert not load(published)
        digest = hashlib.sha256(content).hexdigest()
        config.write_text(json.dumps({**described, "sha256": digest}))
        load(published)
        config.write_text(json.dumps(described))


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
