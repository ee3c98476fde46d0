"""What preparing leaves behind: records, CSVs, a summary; and nothing at all where it fails."""

import hashlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

import datasets.sources
from datasets import CorpusError, prepare
from datasets.base import read_skipped
from emojax.audio.reading import read_audio, to_pcm16
from emojax.corpora.spec import CorpusSpec, read_clips

SPEAKERS = range(3, 17)
FILES = [f"wav/{speaker:02}a0{text}{code}a.wav" for speaker in SPEAKERS for code in "WN" for text in (1, 2)]


@pytest.fixture
def emodb(tmp_path, write_tones):
    """A folder in EMO-DB's layout, of tones."""
    return write_tones(tmp_path / "emodb", *FILES)


def leftovers(data_dir):
    return [path.name for path in data_dir.rglob("*")]


def test_records_and_csv_tell_the_same(emodb, tmp_path):
    folder = prepare("emodb", tmp_path, tmp_path / "data")["emodb"]
    builder = tfds.builder_from_directory(folder)
    records = builder.as_data_source(split="all")
    clips = read_clips(folder / "clips.csv")
    assert [clip.file for clip in clips] == sorted(FILES)
    assert len(records) == len(clips)
    for record, clip in zip(records, clips, strict=True):
        pcm = to_pcm16(read_audio(emodb / clip.file))
        np.testing.assert_array_equal(record["audio"], pcm)
        assert record["audio"].dtype == np.int16
        assert builder.info.features["label"].int2str(record["label"]) == clip.label
        texts = [record[key].decode() for key in ("file", "speaker", "language", "split")]
        assert texts == [clip.file, clip.speaker, "German", ""]
        assert record["duration_s"] == np.float32(clip.duration_s) == np.float32(0.2)
        assert clip.digest == hashlib.blake2b(pcm.tobytes(), digest_size=16).hexdigest()


def test_prepared_folder_knows_its_spec_and_sample_rate(emodb, tmp_path):
    folder = prepare("emodb", tmp_path, tmp_path / "data")["emodb"]
    info = tfds.builder_from_directory(folder).info
    assert CorpusSpec.from_json(info.metadata["spec"]).language == "German"
    assert info.features["audio"].sample_rate == 16_000
    assert '"sample_rate\\": 16000' in (folder / "features.json").read_text()


def test_bad_files_are_left_out_and_named(emodb, tmp_path, capsys):
    (emodb / FILES[5]).write_bytes(b"")
    (emodb / "wav/odd.wav").write_bytes(b"RIFF")
    folder = prepare("emodb", tmp_path, tmp_path / "data", allow_bad=True)["emodb"]
    reasons = {item.file: item.reason for item in read_skipped(folder / "skipped.csv")}
    assert reasons == {
        FILES[5]: "empty: 0 bytes",
        "wav/odd.wav": "file name does not fit the layout wav/03a01Fa.wav",
    }
    assert [clip.file for clip in read_clips(folder / "clips.csv")] == sorted(set(FILES) - {FILES[5]})
    printed = capsys.readouterr().out
    assert f"left out: {FILES[5]}: empty: 0 bytes" in printed
    assert re.search(r"anger +\d+ +127  \d+ missing", printed)


def test_a_speaker_with_too_few_clips_of_a_label_is_named(write_tones, tmp_path, capsys):
    takes = [f"f1/{label}-f1-b{take}.wav" for label in ("dis", "gio") for take in range(1, 10)]
    root = write_tones(tmp_path / "emovo", *takes)
    prepare(f"emovo={root}", "", tmp_path / "data")
    printed = capsys.readouterr().out
    assert "speaker f1, joy: 5 missing" in printed
    assert "speaker f1, neutral: 14 missing" in printed


def test_up_to_five_percent_may_be_bad(emodb, tmp_path):
    (emodb / FILES[0]).write_bytes(b"")
    prepare("emodb", tmp_path, tmp_path / "data")
    for file in FILES[1:3]:
        (emodb / file).write_bytes(b"")
    with pytest.raises(CorpusError, match=rf"more than 5% of {len(FILES)} .*--allow_bad.*\n  .*0 bytes"):
        prepare("emodb", tmp_path, tmp_path / "other")
    assert leftovers(tmp_path / "other") == []


def test_nothing_usable_is_an_error_even_where_bad_files_are_allowed(emodb, tmp_path):
    for file in FILES:
        (emodb / file).write_bytes(b"")
    with pytest.raises(CorpusError, match="no usable clip"):
        prepare("emodb", tmp_path, tmp_path / "data", allow_bad=True)
    assert leftovers(tmp_path / "data") == []


def test_an_interrupt_leaves_nothing(emodb, tmp_path, monkeypatch):
    def interrupted(path):
        if path.name == sorted(FILES)[30].removeprefix("wav/"):
            raise KeyboardInterrupt
        return read_audio(path)

    monkeypatch.setattr(datasets.sources, "read_audio", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare("emodb", tmp_path, tmp_path / "data")
    assert leftovers(tmp_path / "data") == []


def test_a_prepared_corpus_is_used_as_it_is(emodb, tmp_path, capsys):
    first = prepare("emodb", tmp_path, tmp_path / "data")
    made = (first["emodb"] / "clips.csv").stat().st_mtime_ns
    emodb.rename(tmp_path / "gone")
    capsys.readouterr()
    assert prepare("emodb", tmp_path, tmp_path / "data") == first
    assert (first["emodb"] / "clips.csv").stat().st_mtime_ns == made
    assert capsys.readouterr().out.startswith(f"emodb: {len(FILES)} clips, {len(SPEAKERS)} speakers, 0.00 h")


def test_files_that_came_later_are_prepared_too(emodb, tmp_path, write_tones):
    prepare("emodb", tmp_path, tmp_path / "data")
    write_tones(emodb, "wav/03b01Wa.wav")
    folder = prepare("emodb", tmp_path, tmp_path / "data")["emodb"]
    assert len(read_clips(folder / "clips.csv")) == len(FILES) + 1


def test_every_name_is_checked_before_anything_is_prepared(emodb, tmp_path):
    with pytest.raises(CorpusError, match="casia: no recording found"):
        prepare("emodb,casia", tmp_path, tmp_path / "data")
    assert leftovers(tmp_path / "data") == []


@pytest.mark.parametrize(
    ("corpora", "message"),
    [
        ("emobd", "unknown corpus 'emobd'; known are .*emodb.* and synthetic; any other needs NAME=PATH"),
        ("emodb,emodb", "named twice"),
        ("", "no corpus named"),
        ("../emodb", "use letters, digits"),
        ("=x.csv", "use letters, digits"),
    ],
)
def test_wrong_names_say_what_is_allowed(tmp_path, corpora, message):
    with pytest.raises(CorpusError, match=message):
        prepare(corpora, tmp_path, tmp_path / "data")


def test_a_second_corpus_of_one_name_is_refused_before_anything_is_written(emodb, tmp_path, write_csv):
    data_dir = tmp_path / "data"
    first = prepare("emodb", tmp_path, data_dir)
    before = leftovers(data_dir)
    rows = [(file, "anger" if "W" in file else "neutral", file[4:6]) for file in FILES]
    table = write_csv(emodb / "labels.csv", ("file", "label", "speaker"), *rows)
    with pytest.raises(CorpusError) as refused:
        prepare(f"emodb={table}", tmp_path, data_dir)
    for said in (first["emodb"], data_dir / "manifest/emodb/1.0.0", "another name", "remove one"):
        assert str(said) in str(refused.value)
    assert leftovers(data_dir) == before
    prepare(f"my_emodb={table}", tmp_path, data_dir)
    shutil.rmtree(first["emodb"])
    prepare(f"emodb={table}", tmp_path, data_dir)
    with pytest.raises(CorpusError, match=r"manifest/emodb/1\.0\.0 is a prepared corpus of this name"):
        prepare("emodb", tmp_path, data_dir)


def test_a_table_that_is_not_there_is_no_folder_to_fetch_into(tmp_path):
    with pytest.raises(CorpusError, match=r"no file or folder .*lables\.csv"):
        prepare(f"emodb={tmp_path}/lables.csv", tmp_path, tmp_path / "data", download=True)
    assert leftovers(tmp_path / "data") == []
    assert not (tmp_path / "lables.csv").exists()


def run(code, *arguments):
    return subprocess.run([sys.executable, *code, *map(str, arguments)], capture_output=True, text=True)


def test_tensorflow_is_never_imported(emodb, tmp_path):
    code = """
import sys, datasets, tensorflow_datasets as tfds
folder = datasets.prepare("emodb", *sys.argv[1:])["emodb"]
assert tfds.builder_from_directory(folder).as_data_source(split="all")[0]["audio"].size
assert "tensorflow" not in sys.modules
"""
    result = run(["-c", code], tmp_path, tmp_path / "data")
    assert result.returncode == 0, result.stderr


def test_command(emodb, tmp_path):
    command = ["-m", "datasets", f"emodb={emodb}", f"--data_dir={tmp_path / 'data'}"]
    good = run(command)
    assert good.returncode == 0
    assert "neutral" in good.stdout
    bad = run(command, "--source_dir=nowhere", "emodb")
    assert bad.returncode != 0
    wrong = run(["-m", "datasets", "emobd", f"--data_dir={tmp_path / 'data'}"])
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("error: unknown corpus")
    assert "Traceback" not in wrong.stderr
