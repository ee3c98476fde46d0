"""Each publisher's layout: tests with invented files, and with the corpora if available."""

import errno
import os
import shlex
import shutil
from collections import Counter
from pathlib import Path

import pytest
from layouts import FILES, TEXTS

from datasets import CorpusError, prepare
from datasets.base import Skipped, Source, read_skipped
from datasets.emoset.emoset_dataset_builder import CORPORA, Builder
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import read_clips

# Published clips that the restored copy of a corpus lacks.
MISSING = {
    "tess": {
        "OAF_angry/OAF_back_angry.wav": ("angry", "OA"),
        "YAF_sad/YAF_beg_sad.wav": ("sad", "YA"),
    }
}


def listing(name, root, data_dir):
    return Builder(config=name, source_dir=root, data_dir=data_dir).listing


def test_every_corpus_with_a_layout_has_a_parser_and_an_example_here():
    assert set(FILES) == set(CORPORA) == {name for name, spec in CATALOGUE.items() if spec.layout}


@pytest.mark.parametrize("name", FILES)
def test_layout(tmp_path, write_corpus, name):
    root = write_corpus(name, tmp_path / "source", *FILES[name])
    folder = prepare(f"{name}={root}", "", tmp_path / "data")[name]
    clips = {clip.file: (clip.label, clip.speaker) for clip in read_clips(folder / "clips.csv")}
    assert clips == FILES[name]
    assert list(clips) == sorted(FILES[name])


def found(name, root, data_dir, **kwargs):
    """Label and speaker of every clip that is prepared, by name."""
    folder = prepare(f"{name}={root}", "", data_dir / "data", **kwargs)[name]
    return {clip.file: (clip.label, clip.speaker) for clip in read_clips(folder / "clips.csv")}


@pytest.mark.parametrize("outer", ["archive_v1", "archive/archive (1)"])
@pytest.mark.parametrize("name", FILES)
def test_a_corpus_that_lies_deeper_is_found(tmp_path, write_corpus, name, outer):
    write_corpus(name, tmp_path / "source" / outer, *FILES[name])
    clips = found(name, tmp_path / "source", tmp_path)
    assert sorted(clips.values()) == sorted(FILES[name].values())
    assert all(any(clip.endswith(file) for clip in clips) for file in FILES[name])


@pytest.mark.parametrize("name", [name for name in FILES if name not in TEXTS])
def test_an_archive_that_holds_itself_once_more_is_one_corpus(tmp_path, write_corpus, name):
    root = write_corpus(name, tmp_path / "source", *FILES[name])
    shutil.copytree(root, tmp_path / "copy")
    shutil.copytree(tmp_path / "copy", root / "again")
    clips = found(name, root, tmp_path)
    assert sorted(clips.values()) == sorted(FILES[name].values())
    [skipped] = tmp_path.glob("data/*/*/*/skipped.csv")
    copies = [row for row in read_skipped(skipped) if row.reason.startswith("a copy of ")]
    assert len(copies) == len(FILES[name])


def test_two_different_recordings_of_one_name_are_refused(tmp_path, write_corpus):
    root = write_corpus("emodb", tmp_path / "source", *FILES["emodb"])
    write_corpus("emodb", root / "denoised", *reversed(FILES["emodb"]))
    with pytest.raises(
        CorpusError, match=r"denoised/.* and .* differ, and both are wav/.*emodb|NAME=PATH"
    ):
        found("emodb", root, tmp_path)


FLAT = {
    "emodb": ["03a01Fa.wav", "16b10Wb.wav"],
    "cremad": ["1001_DFA_ANG_XX.wav", "Audio/1040_ITH_SAD_X.wav"],
    "emovo": ["dis-f1-b1.wav", "tri-m3-n5.wav"],
    "ravdess": ["03-01-02-01-02-01-01.wav", "all/03-01-08-02-02-02-24.wav"],
    "nemo": ["EB0_anger_1.wav", "WR0_surprised_64.wav"],
}


@pytest.mark.parametrize("name", FLAT)
def test_a_folder_that_says_nothing_new_may_be_missing(tmp_path, write_corpus, name):
    clips = found(name, write_corpus(name, tmp_path / "source", *FLAT[name]), tmp_path)
    assert len(clips) == len(FLAT[name])
    published = {Path(file).name: said for file, said in FILES[name].items()}
    assert {Path(file).name: said for file, said in clips.items()}.items() <= published.items()


def test_a_folder_that_says_something_is_not_made_up(tmp_path, write_corpus):
    root = write_corpus("casia", tmp_path / "source", "fear/250.wav", "angry/201.wav")
    with pytest.raises(CorpusError, match="casia: no recording found"):
        found("casia", root, tmp_path)


SONG = [f"Actor_01/03-02-0{emotion}-01-01-01-01.wav" for emotion in (1, 2)]


@pytest.mark.parametrize("speech", ["", "Audio_Speech_Actors_01-24/"])
@pytest.mark.parametrize("song", ["", "Audio_Song_Actors_01-24/"])
def test_another_part_beside_the_corpus_is_left_out_and_said(
    tmp_path, write_corpus, capsys, speech, song
):
    files = [f"{speech}{file}" for file in FILES["ravdess"]] + [f"{song}{file}" for file in SONG]
    root = write_corpus("ravdess", tmp_path / "source", *files)
    assert found("ravdess", root, tmp_path) == FILES["ravdess"]
    assert "2 files are copies, or named otherwise" in capsys.readouterr().out


def test_a_folder_of_mostly_other_files_is_not_the_corpus(tmp_path, write_corpus):
    root = write_corpus("ravdess", tmp_path / "source", *FILES["ravdess"], *SONG, "Actor_01/x.wav")
    with pytest.raises(CorpusError, match="more than 5% of 5 files cannot be used"):
        found("ravdess", root, tmp_path)


def test_a_folder_that_may_not_be_read_is_named(tmp_path, write_corpus, monkeypatch):
    root = write_corpus("emovo", tmp_path / "source", *FILES["emovo"])
    scandir = os.scandir

    def closed(path):
        if str(path).endswith("m3"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(CorpusError, match="m3: Permission denied"):
        found("emovo", root, tmp_path)


def test_linked_folders_are_followed_each_once(tmp_path, write_corpus):
    write_corpus("emodb", tmp_path / "disk", "03a01Fa.wav", "16b10Wb.wav")
    root = tmp_path / "source"
    root.mkdir()
    (root / "wav").symlink_to("../disk")
    (tmp_path / "disk" / "loop").symlink_to("../source")
    (tmp_path / "disk" / "self").symlink_to(".")
    assert found("emodb", root, tmp_path) == FILES["emodb"]


@pytest.mark.parametrize("name", FILES)
def test_the_example_in_the_error_message_fits_the_layout(tmp_path, write_corpus, name):
    root = write_corpus(name, tmp_path, CORPORA[name].SPEC.layout)
    assert isinstance(listing(name, root, tmp_path)[0], Source)


@pytest.mark.parametrize("name", TEXTS)
def test_a_missing_text_with_the_labels_is_named(tmp_path, write_tones, name):
    root = write_tones(tmp_path / "source", *FILES[name])
    with pytest.raises(CorpusError, match="which says the labels"):
        prepare(f"{name}={root}", "", tmp_path / "data")
    with pytest.raises(CorpusError, match=r"no recording found(.|\n)*note: .*Needs "):
        prepare(name, tmp_path, tmp_path / "data")


OTHERS = {
    "iemocap": (
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F001.wav",
        "Session1/dialog/wav/Ses01F_impro01.wav",
    ),
    "susas": (
        "speech/actual/helicopt/dt/hist/break1.wav",
        "speech/actual/roller/f1/freefall/go1.wav",
        "speech/actual/roller/m2/hist_oov_all/silence.wav",
        "speech/sim/boston1/neutral/break1.wav",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_recordings_with_other_labels_are_no_part_of_the_corpus(tmp_path, write_corpus, name):
    root = write_corpus(name, tmp_path, *FILES[name], *OTHERS[name])
    assert [source.file for source in listing(name, root, tmp_path)] == sorted(FILES[name])


@pytest.mark.parametrize(
    ("name", "splits"), [("aibo", ["test", "train"]), ("emotiw2014", ["train", "test"])]
)
def test_a_published_partition_is_kept(tmp_path, write_corpus, name, splits):
    root = write_corpus(name, tmp_path, *FILES[name])
    assert [source.split for source in listing(name, root, tmp_path)] == splits


def test_names_that_do_not_fit_are_skipped_and_what_is_no_recording_is_passed_over(
    tmp_path, write_tones
):
    root = write_tones(
        tmp_path / "source", "wav/03a01Fa.wav", "wav/._03a01Fa.wav", ".git/a.wav", "wav/x.wav"
    )
    (root / "erkennung.txt").write_text("not audio")
    fits, odd = listing("emodb", root, tmp_path)
    assert fits.file == "wav/03a01Fa.wav"
    assert odd == Skipped("wav/x.wav", "file name does not fit the layout wav/03a01Fa.wav")


def test_a_missing_folder_says_what_is_expected_found_and_to_be_done(tmp_path):
    (tmp_path / "EmoDB").mkdir()
    with pytest.raises(CorpusError) as error:
        prepare("emodb", tmp_path, tmp_path / "data")
    for part in (
        f"like {tmp_path}/emodb/wav/03a01Fa.wav",
        f"no folder {tmp_path}/emodb",
        "EmoDB",
        "emodb=PATH",
        f"python -m datasets emodb={tmp_path}/emodb --download",
        CORPORA["emodb"].SPEC.source,
    ):
        assert part in str(error.value)


def test_the_command_that_fetches_can_be_pasted(tmp_path):
    root = tmp_path / "my corpora" / "emodb"
    with pytest.raises(CorpusError) as error:
        prepare(f"emodb={root}", "", tmp_path / "data")
    command = str(error.value).partition("have it fetched: ")[2].partition(";")[0]
    assert shlex.split(command) == ["python", "-m", "datasets", f"emodb={root}", "--download"]


def test_a_folder_in_another_layout_says_what_is_there(tmp_path, write_tones):
    root = write_tones(tmp_path / "source", "happy/1.wav", "sad/1.wav")
    with pytest.raises(CorpusError, match=r"no recording found(.|\n)*holds happy, sad"):
        prepare(f"emodb={root}", "", tmp_path / "data")


@pytest.mark.parametrize("name", CORPORA)
def test_published_counts(corpora_dir, tmp_path, name):
    spec = CORPORA[name].SPEC
    if not (corpora_dir / name).exists():
        assert not spec.verified
        pytest.skip(f"{corpora_dir} holds no {name}")
    sources = listing(name, corpora_dir / name, tmp_path)
    assert not [source for source in sources if isinstance(source, Skipped)]
    clips = MISSING.get(name, {}) | {
        source.file: (source.label, source.speaker) for source in sources
    }
    assert Counter(label for label, _ in clips.values()) == spec.counts
    speakers = {speaker for _, speaker in clips.values()}
    assert len(speakers) == spec.speakers
    counts = Counter(clips.values())
    for label, published in spec.counts_per_speaker.items():
        assert {counts[label, speaker] for speaker in speakers} == {published}


def test_emodb_is_prepared_whole(corpora_dir, tmp_path, capsys):
    spec = CORPORA["emodb"].SPEC
    folder = prepare("emodb", corpora_dir, tmp_path)["emodb"]
    clips = read_clips(folder / "clips.csv")
    assert Counter(clip.label for clip in clips) == spec.counts
    assert "missing" not in capsys.readouterr().out
    assert (folder / "skipped.csv").read_text().split() == ["file,reason"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file;a1_A\nDK_001_A_1.wav;1\n", "not every row has the columns file, a1_A"),
        ("{columns}\nDK_001_A_1.wav,1,2\n", "not every row has the columns"),
        ("{columns}\nDK_001_A_1.wav,1,x,3,1,2,3,1,2,3\n", "DK_001_A_1.wav has 'x'"),
    ],
)
def test_annotations_in_another_form_are_refused(tmp_path, write_corpus, text, said):
    columns = ",".join(["file", *(f"a{who}_{letter}" for letter in "AVD" for who in (1, 2, 3))])
    root = write_corpus("emotale", tmp_path, *FILES["emotale"])
    (root / "annotations.csv").write_text(text.format(columns=columns))
    with pytest.raises(CorpusError, match=said):
        listing("emotale", root, tmp_path)


def test_a_table_of_meld_without_speakers_is_refused(tmp_path, write_corpus):
    root = write_corpus("meld", tmp_path, *FILES["meld"])
    (table,) = root.rglob("train_sent_emo.csv")
    table.write_text("Dialogue_ID,Utterance_ID,Emotion\n0,0,joy\n")
    with pytest.raises(CorpusError, match="the columns Dialogue_ID, Utterance_ID, Emotion, Spe"):
        listing("meld", root, tmp_path)


def test_emotales_numbers_are_means_of_the_annotators_that_answered(tmp_path):
    (tmp_path / "wav").mkdir()
    for name in ("DK_001_A_1", "EN_002_N_3", "DK_003_S_2"):
        (tmp_path / "wav" / f"{name}.wav").write_bytes(b"")
    found = {source.file: source.columns for source in CORPORA["emotale"].clips(tmp_path)}
    assert set(map(len, found.values())) == {0}  # without their file there are none
    letters = [f"a{who}_{letter}" for who in (1, 2, 3) for letter in "AVD"]
    (tmp_path / "annotations.csv").write_text(
        f"file,{','.join(letters)}\n"
        "DK_001_A_1.wav,4,1.5,4.5,4,2.5,5,5,1,4.5\n"
        "EN_002_N_3.wav,,2,3,2,2,3,,2,\n"
        "DK_003_S_2.wav,,,,,,,,,\n"
    )
    found = {source.file: source.columns for source in CORPORA["emotale"].clips(tmp_path)}
    assert found == {
        "wav/DK_001_A_1.wav": {"arousal": "4.33333", "valence": "1.66667", "dominance": "4.66667"},
        "wav/EN_002_N_3.wav": {"arousal": "2", "valence": "2", "dominance": "3"},
        "wav/DK_003_S_2.wav": {"arousal": "", "valence": "", "dominance": ""},
    }
