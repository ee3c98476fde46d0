import ctypes
import functools
import hashlib
import itertools
import sys
from collections import Counter, defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import opensmile
import pytest

from datasets.synthetic import espeak, synthetic_dataset_builder
from datasets.synthetic.recipes import RECIPES
from datasets.synthetic.synthetic_dataset_builder import PARTS, Builder
from datasets.synthetic.voices import EMOTIONS
from emojax.audio.reading import SAMPLE_RATE_HZ, to_pcm16
from emojax.corpora.partitions import make_partition
from emojax.corpora.spec import read_clips

each_corpus = pytest.mark.parametrize("name", RECIPES)


def prepare(name, data_dir):
    builder = Builder(config=name, data_dir=data_dir)
    builder.download_and_prepare()
    return read_clips(builder.data_path / "clips.csv")


@pytest.fixture(scope="module")
def italian(tmp_path_factory):
    return prepare("synthetic-italian", tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def some_speech(tmp_path_factory):
    """Corpus → label → samples of the utterances of eight speakers."""
    speech = {}
    for name in RECIPES:
        speech[name] = defaultdict(list)
        for source in Builder(config=name, data_dir=tmp_path_factory.mktemp("data")).listing:
            if source.speaker[1:] in ("01", "02", "03", "04"):
                speech[name][source.label].append(source.audio())
    return speech


PROSODY = opensmile.Smile(
    opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.LowLevelDescriptors
)


@functools.cache
def pitch_track_semitones(float32_bytes):
    """Pitch where openSMILE hears a voice; ``librosa.yin`` has crashed the interpreter in numba."""
    samples = np.frombuffer(float32_bytes, np.float32)
    pitch = PROSODY.process_signal(samples, SAMPLE_RATE_HZ)[
        "F0semitoneFrom27.5Hz_sma3nz"
    ].to_numpy()
    return pitch[pitch > 0]


def pitch_semitones(samples):
    return np.median(pitch_track_semitones(samples.tobytes()))


def log_range(samples):
    return np.log(np.subtract(*np.percentile(pitch_track_semitones(samples.tobytes()), (80, 20))))


def level_db(samples):
    return 20 * np.log10(np.std(samples))


def log_rate(samples):
    return -np.log(len(samples))


def test_two_builds_are_equal_to_the_bit(italian, tmp_path):
    assert prepare("synthetic-italian", tmp_path) == italian


def test_an_utterance_does_not_depend_on_what_was_spoken_before(italian, tmp_path):
    sources = Builder(config="synthetic-italian", data_dir=tmp_path).listing
    for i in range(len(sources) - 1, 0, -30):
        pcm = to_pcm16(sources[i].audio())
        assert hashlib.blake2b(pcm.tobytes(), digest_size=16).hexdigest() == italian[i].digest


def test_no_two_utterances_are_equal(italian):
    assert len({clip.digest for clip in italian}) == len(italian)


def test_the_speakers_of_the_spec_make_its_parts(italian, tmp_path):
    spec = Builder(config="synthetic-italian", data_dir=tmp_path).spec
    parts = make_partition(spec, italian).parts
    for part, speakers in PARTS.items():
        assert {italian[i].speaker for i in parts[part]} == set(speakers)
        assert {italian[i].label for i in parts[part]} == set(spec.labels)
    assert len(PARTS["test"]) >= 5


@each_corpus
def test_every_speaker_speaks_every_label_as_often_as_the_spec_says(name, tmp_path):
    builder = Builder(config=name, data_dir=tmp_path)
    takes = Counter((source.speaker, source.label) for source in builder.listing)
    speakers = sum(builder.spec.parts.values(), ())
    assert len(set(speakers)) == builder.spec.speakers
    for label, count in builder.spec.counts.items():
        assert [takes[speaker, label] for speaker in speakers] == [count / len(speakers)] * len(
            speakers
        )
    assert takes.total() == sum(builder.spec.counts.values())


@each_corpus
def test_the_readme_says_what_the_spec_says(name, tmp_path):
    spec = Builder(config=name, data_dir=tmp_path).spec
    row = f"| `{name}` | {', '.join(spec.labels)} | {spec.speakers} | {sum(spec.counts.values())} |"
    assert row in Path(synthetic_dataset_builder.__file__).with_name("README.md").read_text(
        encoding="utf-8"
    )


@each_corpus
def test_the_text_gives_the_label_away_to_nobody(name, tmp_path, monkeypatch):
    texts = []

    def speak(text, voice, words_per_minute):
        texts.append(text)
        return np.ones(1600, np.float32)

    monkeypatch.setattr(synthetic_dataset_builder, "speak", speak)
    said = defaultdict(list)
    for source in Builder(config=name, data_dir=tmp_path).listing:
        source.audio()
        said[source.speaker, source.label].append(texts[-1])
    for (speaker, _), of_label in said.items():
        assert of_label == said[speaker, RECIPES[name].labels[0]]
        assert len(set(of_label)) == RECIPES[name].takes
    assert set(texts) == set(RECIPES[name].texts)


@each_corpus
def test_clips_are_short_and_never_overdriven(name, some_speech):
    for samples in itertools.chain(*some_speech[name].values()):
        assert samples.dtype == np.float32
        assert 0.5 < len(samples) / SAMPLE_RATE_HZ < 3.5
        assert np.abs(samples).max() < 1


@each_corpus
@pytest.mark.parametrize(
    ("measure", "recipe", "clear"),
    [
        (pitch_semitones, lambda emotion: emotion.pitch_semitones, 2.5),
        (log_range, lambda emotion: np.log(emotion.range_factor), 0.6),
        (level_db, lambda emotion: emotion.loudness_db, 2.5),
        (log_rate, lambda emotion: np.log(emotion.rate_factor), 0.1),
    ],
    ids=["pitch", "range", "level", "rate"],
)
def test_what_the_recipe_sets_apart_is_heard_apart(name, measure, recipe, clear, some_speech):
    heard = {label: np.mean([*map(measure, speech)]) for label, speech in some_speech[name].items()}
    pairs = [
        (a, b) for a in heard for b in heard if recipe(EMOTIONS[a]) - recipe(EMOTIONS[b]) >= clear
    ]
    assert pairs
    for a, b in pairs:
        assert heard[a] - heard[b] > clear / 4, f"{a} against {b}: {heard}"


@each_corpus
def test_a_recording_passes_its_band(name):
    recording, rng = RECIPES[name].recording, np.random.default_rng(0)
    power = np.abs(np.fft.rfft(recording(rng.standard_normal(SAMPLE_RATE_HZ), 0.0, rng))) ** 2
    hz = np.linspace(0, SAMPLE_RATE_HZ / 2, len(power))
    lowest_hz, highest_hz = recording.band_hz
    passed = (hz > lowest_hz) & (hz < highest_hz)
    stopped = (hz < lowest_hz / 2) | (hz > highest_hz * 1.4)
    assert power[stopped].mean() < 0.01 * power[passed].mean()


def test_speaking_without_the_extra_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setattr(espeak, "_espeak", espeak._espeak.__wrapped__)
    builder = Builder(config="synthetic-polish", data_dir=tmp_path)
    with pytest.raises(ImportError, match=r'pip install -e "\.\[synthetic\]"'):
        builder.download_and_prepare()
    assert not list(tmp_path.rglob("clips.csv"))


def test_espeak_without_its_data_says_so(monkeypatch):
    monkeypatch.setattr(
        ctypes, "CDLL", lambda path: SimpleNamespace(espeak_Initialize=lambda *arguments: 0)
    )
    monkeypatch.setattr(espeak, "_espeak", espeak._espeak.__wrapped__)
    with pytest.raises(RuntimeError, match=r"cannot read its data in .*shorter path"):
        espeak.speak("Hello.", "language en\n", 180)
