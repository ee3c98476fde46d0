"""Each publisher's layout: a few invented files, then the corpora themselves where they are at hand."""

from collections import Counter

import pytest

from datasets import CorpusError, prepare
from datasets.base import Skipped, Source
from datasets.emoset.emoset_dataset_builder import CORPORA, Builder
from emojax.corpora.spec import CorpusSpec, read_clips

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
}


def listing(name, root, data_dir):
    return Builder(config=name, source_dir=root, data_dir=data_dir).listing


def test_every_corpus_has_an_example_here():
    assert set(FILES) == set(CORPORA)


@pytest.mark.parametrize("name", FILES)
def test_layout(tmp_path, write_tones, name):
    root = write_tones(tmp_path / "source", *FILES[name])
    folder = prepare(f"{name}={root}", "", tmp_path / "data")[name]
    clips = {clip.file: (clip.label, clip.speaker) for clip in read_clips(folder / "clips.csv")}
    assert clips == FILES[name]
    assert list(clips) == sorted(FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_spec_agrees_with_itself(name):
    spec = CORPORA[name].SPEC
    assert spec.name == name
    assert set(spec.counts) == set(spec.labels)
    assert CorpusSpec.from_json(spec.to_json()) == spec
    for groups in (list(spec.parts.values()), spec.folds):
        speakers = [speaker for group in groups for speaker in group]
        assert len(speakers) == len(set(speakers))
        assert len(speakers) in (0, spec.speakers)


@pytest.mark.parametrize("name", FILES)
def test_the_example_in_the_error_message_fits_the_layout(tmp_path, write_tones, name):
    root = write_tones(tmp_path, CORPORA[name].LAYOUT)
    assert isinstance(listing(name, root, tmp_path)[0], Source)


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
    sources = listing(name, corpora_dir / name, tmp_path)
    assert not [source for source in sources if isinstance(source, Skipped)]
    missing = Counter(spec.counts) - Counter(source.label for source in sources)
    assert sum(spec.counts.values()) - len(sources) == missing.total()
    assert not missing or name == "ravdess"  # some copies of which lack a few clips
    found = Counter((source.speaker, source.label) for source in sources)
    for label, published in spec.counts_per_speaker.items():
        assert published * spec.speakers == spec.counts[label]
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
