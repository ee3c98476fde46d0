"""A folder with db.yaml is a corpus by itself; what a stranger's database names is never run."""

import pickle
import sys

import pytest

from datasets import CorpusError, prepare
from emojax.corpora.columns import read_columns
from emojax.corpora.spec import read_clips
from emojax.data.prepared import open_corpus

audformat = pytest.importorskip("audformat")

FILES = [f"wav/{speaker}{take}.wav" for speaker in "abc" for take in range(2)]
PARTS = {"train": FILES[:2], "dev": FILES[2:4], "test": FILES[4:]}


@pytest.fixture
def root(tmp_path, write_tones):
    return write_tones(tmp_path / "source", *FILES, duration_s=2)


def database(
    root,
    *,
    tables=("emotion.{part}.gold",),
    column="emotion",
    storage_format="csv",
    times=True,
    change=None,
):
    """Write a database with speakers, and tables of each part that have labels."""
    built = audformat.Database("calls")
    built.schemes["emotion"] = audformat.Scheme(labels=["calm", "joy"])
    built.schemes["speaker"] = audformat.Scheme("str")
    built["files"] = audformat.Table(audformat.filewise_index(FILES))
    built["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    built["files"]["speaker"].set([file[4] for file in FILES])
    for table in tables:
        for part, files in PARTS.items():
            index = audformat.filewise_index(files)
            if times:
                index = audformat.segmented_index(files, ["0.5s", "0s"], ["1.5s", None])
            rows = built[table.format(part=part)] = audformat.Table(index)
            rows[column] = audformat.Column(scheme_id="emotion")
            rows[column].set(["calm", "joy"])
            rows["confidence"] = audformat.Column()
            rows["confidence"].set([0.5, 0.5])
    if change:
        change(built)
    built.save(str(root), storage_format=storage_format)
    return root


def clips_of(source, tmp_path):
    return read_clips(prepare(f"calls={source}", "", tmp_path / "data")["calls"] / "clips.csv")


@pytest.mark.parametrize("storage_format", ["csv", "parquet"])
def test_segments_speakers_and_parts_are_those_of_the_database(
    root, tmp_path, storage_format, capsys
):
    clips = clips_of(database(root, storage_format=storage_format), tmp_path)
    assert {
        clip.file: (clip.label, clip.speaker, clip.split, clip.duration_s) for clip in clips
    } == {
        "wav/a0.wav#t=0.5,1.5": ("calm", "a", "train", 1),
        "wav/a1.wav": ("joy", "a", "train", 2),
        "wav/b0.wav#t=0.5,1.5": ("calm", "b", "devel", 1),
        "wav/b1.wav": ("joy", "b", "devel", 2),
        "wav/c0.wav#t=0.5,1.5": ("calm", "c", "test", 1),
        "wav/c1.wav": ("joy", "c", "test", 2),
    }
    assert "emotion.train.gold: the label is emotion" in capsys.readouterr().out


def test_further_columns_are_kept_and_may_lack_values(root, tmp_path):
    def change(built):
        rows = built["emotion.train.gold"]
        built.schemes["level"] = audformat.Scheme("int")
        rows["level"] = audformat.Column(scheme_id="level")
        rows["level"].set([3, None])
        rows["gender"] = audformat.Column()
        rows["gender"].set(["female", None])

    folder = prepare(f"calls={database(root, change=change)}", "", tmp_path / "data")["calls"]
    columns = read_columns(folder)
    assert columns["wav/a0.wav#t=0.5,1.5"] == {
        "emotion": "calm",
        "confidence": "0.5",
        "level": "3",
        "gender": "female",
    }
    assert columns["wav/a1.wav"]["level"] == columns["wav/b0.wav#t=0.5,1.5"]["level"] == ""
    assert open_corpus(folder).spec.sexes == {"female": ("a",)}


def test_whole_files_and_columns_of_other_names_are_read(root, tmp_path):
    clips = clips_of(database(root, times=False, column="rating"), tmp_path)
    assert sorted(clip.file for clip in clips) == FILES


def test_one_of_several_tables_is_chosen_by_its_file(root, tmp_path):
    database(root, tables=("emotion.{part}", "emotion.{part}.gold"))
    with pytest.raises(
        CorpusError, match=r"choose one: emotion in NAME=.*/db\.emotion\.\w+\.csv, emotion in"
    ):
        clips_of(root, tmp_path)
    assert len(clips_of(root / "db.emotion.test.gold.csv", tmp_path)) == len(FILES)


def test_a_changed_table_is_prepared_again(root, tmp_path):
    clips_of(database(root), tmp_path)
    table = root / "db.emotion.train.gold.csv"
    table.write_text(table.read_text().replace("calm", "joy"))
    assert [clip.label for clip in clips_of(root, tmp_path)].count("calm") == 2


def test_a_missing_label_is_refused_with_its_row(root, tmp_path):
    table = database(root) / "db.emotion.train.gold.csv"
    table.write_text(table.read_text().replace("joy", ""))
    with pytest.raises(CorpusError, match=r"db\.emotion\.train\.gold, line 3: the label is ''"):
        clips_of(root, tmp_path)


class _Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was loaded')",)


def test_pickles_beside_the_tables_are_never_loaded(root, tmp_path):
    for table in [*database(root).glob("db.*.csv")]:
        table.with_suffix(".pkl").write_bytes(pickle.dumps(_Bomb()))
    assert len(clips_of(root, tmp_path)) == len(FILES)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("name: !!python/object/apply:sys.exit ['run']", "could not determine a constructor"),
        ("- a list", "no audformat database that can be read"),
        ("{", "no audformat database that can be read"),
        (
            "name: x\nsource: y\nusage: research",
            "no column of labels, such as emotion, in no table",
        ),
        ("name: x\nusage: research\ntables: {../y: {type: filewise}}", "leads out of the folder"),
        (
            "name: x\nusage: research\ntables: {y: {type: filewise}}",
            "no audformat database that can be read",
        ),
    ],
)
def test_a_broken_header_is_one_line(root, tmp_path, header, said):
    (root / "db.yaml").write_text(header)
    with pytest.raises(CorpusError, match=said) as error:
        clips_of(root, tmp_path)
    assert "\n" not in str(error.value)


def test_without_the_package_it_says_what_to_install(root, tmp_path, monkeypatch):
    database(root)
    monkeypatch.setitem(sys.modules, "audformat", None)
    with pytest.raises(CorpusError, match=r"is an audformat database, .*: pip install audformat"):
        clips_of(root, tmp_path)
