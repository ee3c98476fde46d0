"""Each publisher's layout: a few invented files, then the corpora themselves where they are at hand."""

from collections import Counter

import pytest

from datasets import CorpusError, prepare
from datasets.base import Skipped, Source
from datasets.emoset.emoset_dataset_builder import CORPORA, Builder
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import read_clips

# corpus → file name → label and speaker
FILES = {
    "emodb": {"wav/03a01Fa.wav": ("happiness", "03"), "wav/16b10Wb.wav": ("anger", "16")},
    "emovo": {"f1/dis-f1-b1.wav": ("disgust", "f1"), "m3/tri-m3-n5.wav": ("sadness", "m3")},
    "casia": {
        "ZhaoZuoxiang/fear/250.wav": ("fear", "ZhaoZuoxiang"),
        "liuchanhg/angry/201.wav": ("angry", "liuchanhg"),
    },
    "ravdess": {
        "Actor_01/03-01-02-01-02-01-01.wav": ("calm", "01"),
        "Actor_24/03-01-08-02-02-02-24.wav": ("surprised", "24"),
    },
    "baved": {"0/55-m-16-0-1-239.wav": ("normal", "55"), "6/7-f-20-6-2-12.wav": ("high", "7")},
    "ased": {"04Sad/S4-04-02-01-29.wav": ("sad", "29"), "05Angry/a5-03-01-02-50.wav": ("angry", "50")},
    "nemo": {
        "samples/EB0_anger_1.wav": ("anger", "EB0"),
        "samples/WR0_surprised_64.wav": ("surprised", "WR0"),
    },
    "cremad": {
        "AudioWAV/1001_DFA_ANG_XX.wav": ("anger", "1001"),
        "AudioWAV/1040_ITH_SAD_X.wav": ("sad", "1040"),
        "AudioWAV/1091_IEO_HAP_LO.wav": ("happy", "1091"),
    },
    "savee": {
        "AudioData/DC/a01.wav": ("anger", "DC"),
        "AudioData/KL/su15.wav": ("surprise", "KL"),
        "ALL/JE_sa03.wav": ("sadness", "JE"),
    },
    "tess": {
        "OAF_back_angry.wav": ("angry", "OA"),
        "TESS/OAF_neutral/OA_bite_neutral.wav": ("neutral", "OA"),
        "YAF_pleasant_surprised/YAF_youth_ps.wav": ("pleasant surprise", "YA"),
    },
    "shemo": {"female/F03S02.wav": ("sadness", "F03"), "male/M02F01.wav": ("fear", "M02")},
    "cafe": {
        "Colère/Fort/01-C-2-1.wav": ("anger", "01"),
        "Neutre/12-N-1-6.wav": ("neutral", "12"),
    },
    "esd": {
        "0001/Neutral/0001_000001.wav": ("Neutral", "0001"),
        "0011/Angry/test/0011_000371.wav": ("Angry", "0011"),
        "English/0012/Sad/0012_001051.wav": ("Sad", "0012"),
    },
    "demos": {
        "DEMOS/NP_m_05_col01a.wav": ("guilt", "05"),
        "DEMOS/PR_f_01_rab01a.wav": ("anger", "01"),
        "NEU/PR_f_01_neu02b.wav": ("neutral", "01"),
    },
    "emofilm": {"m_dis023bes.wav": ("contempt", ""), "wav_corpus/f_ans001aen.wav": ("fear", "")},
    "enterface": {
        "subject 1/anger/sentence 1/s1_an_1.wav": ("anger", "1"),
        "subject 3/surprise/sentence 5/s_3_su_5.wav": ("surprise", "3"),
    },
    "aibo": {
        "wav/Mont_01_000_00.wav": ("rest", "Mont_01"),
        "wav/Ohm_01_000_00.wav": ("emphatic", "Ohm_01"),
    },
    "iemocap": {
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav": ("neutral", "Ses01F"),
        "Session5/sentences/wav/Ses05F_script01_1/Ses05F_script01_1_M012.wav": ("happiness", "Ses05M"),
    },
    "meld": {
        "dev_splits_complete/dia0_utt0.wav": ("surprise", "Phoebe"),
        "train_splits/dia0_utt0.wav": ("neutral", "Chandler"),
    },
}
# corpus → file name → text that comes with it and says labels
TEXTS = {
    "aibo": {
        "labels/IS2009EmotionChallenge/chunk_labels_5cl_corpus.txt": "Mont_01_000_00 R 1.00\n"
        "Ohm_01_000_00 E 0.64\nOhm_01_000_01 N 1.00\n"
    },
    "iemocap": {
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": "% [START_TIME - END_TIME] TURN_NAME EMOTION\n\n"
        "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\nC-E2:\tNeutral;\t()\n"
        "[10.0100 - 11.3925]\tSes01F_impro01_F001\txxx\t[2.5000, 2.5000, 2.5000]\n",
        "Session5/dialog/EmoEvaluation/Ses05F_script01_1.txt": "[1.0000 - 2.0000]\tSes05F_script01_1_M012\t"
        "exc\t[4.0000, 3.5000, 3.0000]\n",
    },
    "meld": {
        "train_sent_emo.csv": "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
        '1,"Well\x85\n, no.",Chandler,neutral,neutral,0,0\n',
        "dev_sent_emo.csv": "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
        "1,Oh!,Phoebe,surprise,negative,0,0\n",
        "test_sent_emo.csv": "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n",
    },
}


@pytest.fixture
def write_corpus(write_tones):
    """Write tones, and the texts that come with a corpus, below a folder, and return the folder."""

    def write(name, root, *files):
        for file, text in TEXTS.get(name, {}).items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text, encoding="utf-8")
        return write_tones(root, *files)

    return write


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


def test_recordings_with_other_labels_are_no_part_of_the_corpus(tmp_path, write_corpus):
    others = (
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F001.wav",
        "Session1/dialog/wav/Ses01F_impro01.wav",
    )
    root = write_corpus("iemocap", tmp_path, *FILES["iemocap"], *others)
    assert [source.file for source in listing("iemocap", root, tmp_path)] == sorted(FILES["iemocap"])


def test_aibo_is_divided_by_school(tmp_path, write_corpus):
    root = write_corpus("aibo", tmp_path, *FILES["aibo"])
    assert [source.split for source in listing("aibo", root, tmp_path)] == ["test", "train"]


def test_names_that_do_not_fit_are_skipped_and_what_is_no_recording_is_passed_over(tmp_path, write_tones):
    root = write_tones(tmp_path / "source", "wav/03a01Fa.wav", "wav/._03a01Fa.wav", ".git/a.wav", "wav/x.wav")
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
        CORPORA["emodb"].SPEC.source,
    ):
        assert part in str(error.value)


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
    missing = Counter(spec.counts) - Counter(source.label for source in sources)
    assert sum(spec.counts.values()) - len(sources) == missing.total()
    assert not missing or name == "ravdess"  # some copies of which lack a few clips
    found = Counter((source.speaker, source.label) for source in sources)
    for label, published in spec.counts_per_speaker.items():
        fewer = sum(published - found[speaker, label] for speaker in {speaker for speaker, _ in found})
        assert fewer == missing[label]
    assert len({source.speaker for source in sources}) == spec.speakers


def test_emodb_is_prepared_whole(corpora_dir, tmp_path, capsys):
    spec = CORPORA["emodb"].SPEC
    folder = prepare("emodb", corpora_dir, tmp_path)["emodb"]
    clips = read_clips(folder / "clips.csv")
    assert Counter(clip.label for clip in clips) == spec.counts
    assert "missing" not in capsys.readouterr().out
    assert (folder / "skipped.csv").read_text().split() == ["file,reason"]
