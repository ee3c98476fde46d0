"""What preparing leaves behind: records, CSVs, a summary; and nothing at all where it fails."""

import errno
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

import datasets.recordings
import datasets.sources
from datasets import CorpusError, prepare
from datasets.base import Skipped, read_skipped, write_skipped
from datasets.summary import summary
from emojax.audio.reading import read_audio, to_pcm16
from emojax.corpora.spec import CorpusSpec, read_clips

SPEAKERS = range(3, 17)
FILES = [
    f"wav/{speaker:02}a0{text}{code}a.wav"
    for speaker in SPEAKERS
    for code in "WN"
    for text in (1, 2)
]


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
    assert [clip.file for clip in read_clips(folder / "clips.csv")] == sorted(
        set(FILES) - {FILES[5]}
    )
    printed = capsys.readouterr().out
    assert f"left out: {FILES[5]}: empty: 0 bytes" in printed
    assert re.search(r"anger +\d+ +127  \d+ missing", printed)


def test_a_reason_cannot_steer_the_terminal(emodb, tmp_path):
    folder = prepare("emodb", tmp_path, tmp_path / "data")["emodb"]
    write_skipped(folder / "skipped.csv", [Skipped("a.wav", "a copy of \x1b[2J.wav")])
    assert "a.wav: a copy of \\x1b[2J.wav" in summary(folder)


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
    with pytest.raises(
        CorpusError, match=rf"more than 5% of {len(FILES)} .*--allow_bad.*\n  .*0 bytes"
    ):
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
    assert capsys.readouterr().out.startswith(
        f"emodb: {len(FILES)} clips, {len(SPEAKERS)} speakers, 0.00 h"
    )


def test_files_that_came_later_are_prepared_too(emodb, tmp_path, write_tones):
    prepare("emodb", tmp_path, tmp_path / "data")
    write_tones(emodb, "wav/03b01Wa.wav")
    folder = prepare("emodb", tmp_path, tmp_path / "data")["emodb"]
    assert len(read_clips(folder / "clips.csv")) == len(FILES) + 1


def made_at(folder):
    """When the records were made."""
    return (folder / "clips.csv").stat().st_mtime_ns


@pytest.fixture
def table(emodb, write_csv):
    """The same recordings with a CSV."""
    rows = [(file, "anger" if "W" in file else "neutral", file[4:6]) for file in FILES]
    return write_csv(emodb / "labels.csv", ("file", "label", "speaker"), *rows)


@pytest.fixture(params=["layout", "table"])
def corpora(request, emodb, table):
    """What is prepared: a publisher's folder, or a CSV."""
    return f"emodb={emodb}" if request.param == "layout" else f"mine={table}"


def folder_of(corpora, data_dir):
    return next(iter(prepare(corpora, "", data_dir).values()))


def test_a_recording_that_changed_is_prepared_again(corpora, emodb, tmp_path, write_tones):
    data_dir = tmp_path / "data"
    before = read_clips(folder_of(corpora, data_dir) / "clips.csv")
    changed = emodb / FILES[3]
    size = changed.stat().st_size
    changed.write_bytes((emodb / FILES[4]).read_bytes())
    assert changed.stat().st_size == size
    after = read_clips(folder_of(corpora, data_dir) / "clips.csv")
    assert [a.file for a, b in zip(after, before, strict=True) if a != b] == [FILES[3]]


def test_a_recording_that_was_missing_or_bad_is_taken_once_it_is_there(
    emodb, table, tmp_path, write_tones
):
    good = (emodb / FILES[3]).read_bytes()
    (emodb / FILES[3]).unlink()
    for content, clips in [(None, len(FILES) - 1), (b"RIFF", len(FILES) - 1), (good, len(FILES))]:
        if content:
            (emodb / FILES[3]).write_bytes(content)
        folder = folder_of(f"mine={table}", tmp_path / "data")
        assert len(read_clips(folder / "clips.csv")) == clips


def test_copied_and_moved_recordings_are_the_same_ones(corpora, emodb, tmp_path):
    data_dir = tmp_path / "data"
    made = made_at(folder_of(corpora, data_dir))
    shutil.copytree(emodb, tmp_path / "copy", copy_function=shutil.copyfile)
    emodb.rename(tmp_path / "gone")
    copied = corpora.replace(str(emodb), str(tmp_path / "copy"))
    assert made_at(folder_of(copied, data_dir)) == made
    (tmp_path / "copy").rename(emodb)
    assert made_at(folder_of(corpora, data_dir)) == made
    data_dir.rename(tmp_path / "moved")
    assert made_at(folder_of(corpora, tmp_path / "moved")) == made


def test_recordings_may_be_removed_once_they_are_prepared_but_all_of_them(emodb, table, tmp_path):
    made = made_at(folder_of(f"mine={table}", tmp_path / "data"))
    (emodb / "wav").rename(tmp_path / "wav")
    assert made_at(folder_of(f"mine={table}", tmp_path / "data")) == made
    (tmp_path / "wav").rename(emodb / "wav")
    (emodb / FILES[3]).unlink()
    folder = folder_of(f"mine={table}", tmp_path / "data")
    assert len(read_clips(folder / "clips.csv")) == len(FILES) - 1


@pytest.mark.parametrize("text", ["x\n1\n", "file,size_bytes\na.wav,1\n", "\xff"])
def test_a_damaged_list_of_recordings_is_made_again(emodb, tmp_path, text):
    folder = prepare("emodb", tmp_path, tmp_path / "data")["emodb"]
    whole = (folder / "recordings.csv").read_bytes()
    (folder / "recordings.csv").write_text(text, encoding="latin-1")
    prepare("emodb", tmp_path, tmp_path / "data")
    assert (folder / "recordings.csv").read_bytes() == whole


def test_new_times_are_looked_into_once(emodb, tmp_path, monkeypatch):
    prepare("emodb", tmp_path, tmp_path / "data")
    for file in FILES:
        os.utime(emodb / file, ns=(0, 0))
    digests = []
    digest = datasets.recordings._digest
    monkeypatch.setattr(
        datasets.recordings, "_digest", lambda path: digests.append(path) or digest(path)
    )
    for _ in range(2):
        prepare("emodb", tmp_path, tmp_path / "data")
        assert len(digests) == len(FILES)


def test_a_column_that_is_not_used_is_said_while_preparing(emodb, tmp_path, write_csv, capsys):
    rows = [(file, "anger" if "W" in file else "neutral", "x") for file in FILES]
    path = write_csv(emodb / "labels.csv", ("file", "label", "age"), *rows)
    for said in (1, 0):
        prepare(f"mine={path}", "", tmp_path / "data")
        assert capsys.readouterr().out.count("columns: further: age") == said


def test_data_that_is_there_is_used_where_nothing_can_be_written(
    corpora, emodb, tmp_path, monkeypatch
):
    data_dir = tmp_path / "data"
    folder = folder_of(corpora, data_dir)
    for file in FILES:  # even where times are new, and cannot be noted
        os.utime(emodb / file, ns=(0, 0))

    def read_only(call):
        def refuse(path, *args, **kwargs):
            if str(path).startswith(str(data_dir)) and (call is not io.open or "w" in args[:1]):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
            return call(path, *args, **kwargs)

        return refuse

    for name in ("mkdir", "rename", "replace", "unlink"):
        monkeypatch.setattr(os, name, read_only(getattr(os, name)))
    monkeypatch.setattr("builtins.open", read_only(io.open))
    assert folder_of(corpora, data_dir) == folder
    with pytest.raises(CorpusError, match=r"data.*: Read-only file system"):
        prepare(f"other={emodb / 'labels.csv'}", "", data_dir)


def test_what_a_killed_process_left_is_swept_by_the_next(emodb, tmp_path):
    for name in ("incomplete.prepare", "incomplete.k3jd8"):
        (tmp_path / "data" / name / "emoset").mkdir(parents=True)
    prepare("emodb", tmp_path, tmp_path / "data")
    assert os.listdir(tmp_path / "data") == ["emoset"]


def test_two_processes_wait_for_each_other_and_the_second_finds_it_done(emodb, tmp_path):
    code = """
import sys, time, datasets, datasets.sources
read = datasets.sources.read_audio
datasets.sources.read_audio = lambda path: (
    time.sleep(0.03) or print("decoded", file=sys.stderr) or read(path)
)
datasets.prepare("emodb", *sys.argv[1:])
"""
    command = [sys.executable, "-c", code, str(tmp_path), str(tmp_path / "data")]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = "".join(process.communicate()[1] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert said.count("decoded") == len(FILES)
    assert said.count("waiting for another process") == 1
    assert os.listdir(tmp_path / "data") == ["emoset"]


@pytest.mark.parametrize("name", ["calls, 2024", 'say "hello", twice'])
def test_a_path_with_a_comma_stands_in_quotes(table, emodb, tmp_path, name):
    root = emodb.rename(tmp_path / name)
    path = str(root).replace('"', '""')
    assert prepare(f'"mine={path}/labels.csv", "own={path}"', "", tmp_path / "data").keys() == {
        "mine",
        "own",
    }
    with pytest.raises(
        CorpusError, match=r"a path with a comma stands in double quotes, as in '\"calls="
    ):
        prepare(f"mine={root}/labels.csv", "", tmp_path / "data")


def test_every_name_is_checked_before_anything_is_prepared(emodb, tmp_path):
    with pytest.raises(CorpusError, match="casia: no recording found"):
        prepare("emodb,casia", tmp_path, tmp_path / "data")
    assert leftovers(tmp_path / "data") == []


@pytest.mark.parametrize(
    ("corpora", "message"),
    [
        (
            "emobd",
            "unknown corpus 'emobd'; known are .*emodb.* and synthetic; any other needs NAME=PATH",
        ),
        ("emodb,emodb", "named twice"),
        ("", "no corpus named"),
        ("../emodb", "use letters, digits"),
        ("=x.csv", "use letters, digits"),
    ],
)
def test_wrong_names_say_what_is_allowed(tmp_path, corpora, message):
    with pytest.raises(CorpusError, match=message):
        prepare(corpora, tmp_path, tmp_path / "data")


def test_a_second_corpus_of_one_name_is_refused_before_anything_is_written(
    emodb, tmp_path, write_csv
):
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
    with pytest.raises(
        CorpusError, match=r"manifest/emodb/1\.0\.0 is a prepared corpus of this name"
    ):
        prepare("emodb", tmp_path, data_dir)


def test_a_table_that_is_not_there_is_no_folder_to_fetch_into(tmp_path):
    with pytest.raises(CorpusError, match=r"no file or folder .*lables\.csv"):
        prepare(f"emodb={tmp_path}/lables.csv", tmp_path, tmp_path / "data", download=True)
    assert leftovers(tmp_path / "data") == []
    assert not (tmp_path / "lables.csv").exists()


def run(code, *arguments):
    return subprocess.run(
        [sys.executable, *code, *map(str, arguments)], capture_output=True, text=True
    )


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
    assert wrong.stderr.startswith("datasets: unknown corpus")
    assert "Traceback" not in wrong.stderr
