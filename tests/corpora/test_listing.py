"""The list of corpora: every one of them is in it once, prepared or missing, and in the README."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.listing import listing, markdown, prepared
from emojax.corpora.spec import Clip, write_clips

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data_dir(tmp_path):
    """A folder with two prepared corpora, one of which the catalogue does not know."""
    for place in ("emoset/emodb/1.0.0", "manifest/mine/1.0.0"):
        (tmp_path / place).mkdir(parents=True)
        clips = [
            Clip(f"{i}.wav", "anger", speaker, "", 900.0, "", "") for i, speaker in enumerate("aab")
        ]
        write_clips(tmp_path / place / "clips.csv", clips)
    (tmp_path / "emoset/casia/1.0.0").mkdir(parents=True)
    return tmp_path


def test_every_corpus_is_listed_once_as_here_or_missing(data_dir):
    assert list(prepared(data_dir)) == ["emodb", "mine"]
    here, with_layout, from_csv, _ = listing(data_dir).split("\n\n")
    assert here.startswith(f"prepared in {data_dir}: 2\n")
    assert f"emodb*       3 clips, 2 speakers, 0.75 h, in {data_dir / 'emoset/emodb/1.0.0'}" in here
    assert "mine  " in here
    named = [
        line.split()[0]
        for block in (here, with_layout, from_csv)
        for line in block.splitlines()[1:]
    ]
    assert sorted(name.rstrip("*") for name in named) == sorted([*CATALOGUE, "mine"])
    assert sum(name.endswith("*") for name in named) == 26


def test_two_folders_of_one_name_are_refused_and_both_listed(data_dir):
    other = data_dir / "manifest/emodb/1.0.0"
    other.mkdir(parents=True)
    write_clips(other / "clips.csv", [])
    with pytest.raises(ValueError, match="are both of emodb; remove one"):
        prepared(data_dir)
    here = listing(data_dir).split("\n\n")[0]
    for folder in (data_dir / "emoset/emodb/1.0.0", other):
        assert f", in {folder}\n" in here
    assert here.endswith("two are of emodb: remove one of them")


def test_a_missing_corpus_says_where_to_get_it_and_whether_its_parser_was_tried(tmp_path):
    lines = {
        line.split()[0].rstrip("*"): line
        for line in listing(tmp_path).splitlines()
        if line[:2] == "  " and line[2] != "("
    }
    for name, spec in CATALOGUE.items():
        assert f"{spec.source}; licence: {spec.licence}" in lines[name]
        assert ("never run" in lines[name]) == bool(spec.layout and not spec.verified)
        assert ("`--download`" in lines[name]) == bool(spec.downloads)
    assert "`--download`: 208 MB" in lines["ravdess"]
    assert "`--download`: size not published" in lines["shemo"]


def test_the_readme_has_the_table_of_the_catalogue():
    """Update: python -c "from emojax.corpora.listing import markdown; print(markdown())"."""
    assert markdown() in (ROOT / "datasets/emoset/README.md").read_text(encoding="utf-8")
    assert all(line.count(" | ") == 7 for line in markdown().splitlines())


def test_command(data_dir):
    command = [sys.executable, "-m", "emojax.commands", "corpora", f"--data_dir={data_dir}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == listing(data_dir) + "\n"


def test_a_reader_who_has_seen_enough_is_no_error(data_dir):
    command = [sys.executable, "-m", "emojax.commands", "corpora", f"--data_dir={data_dir}"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
