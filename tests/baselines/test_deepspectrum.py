import dataclasses
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.baselines import deepspectrum, weights
from emojax.baselines.deepspectrum import BACKBONES, open_deepspectrum
from emojax.baselines.mel_plot import mel_plot
from emojax.data.prepared import load_recordings, open_corpus
from emojax.download import DownloadError
from emojax.models import imagenet


@pytest.fixture(scope="session")
def corpus(tiny_paths):
    return open_corpus(tiny_paths["levels"])


@pytest.fixture(scope="session")
def extractor(vgg16_pth):
    return open_deepspectrum("deepspectrum_vgg16", str(vgg16_pth))


@pytest.fixture(scope="session")
def cache(corpus, extractor, tmp_path_factory):
    """A cache that holds the corpus's features; tests only read it."""
    folder = tmp_path_factory.mktemp("features")
    extractor.features(corpus, folder)
    return folder


def test_features_are_the_network_s_of_each_clip_s_own_plot(corpus, extractor, cache):
    found = extractor.features(corpus, cache)
    assert (found.shape, found.dtype) == ((len(corpus.clips), 6), np.float32)
    mean, deviation = 255 * np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)
    for index in (0, len(corpus.clips) - 1):
        (samples,) = load_recordings(corpus, np.array([index])).samples
        audio = np.trim_zeros(samples) / np.float32(32768)
        picture = jax.jit(mel_plot)(jnp.asarray(audio), jnp.array(len(audio)))
        expected = jax.jit(imagenet.vgg16)(extractor.layers, ((picture - mean) / deviation)[None])
        np.testing.assert_allclose(found[index], expected[0], atol=1e-3)
    assert (found.std(axis=0) > 0).any()


@pytest.mark.parametrize("form", ["zip", "legacy", "keras"])
def test_every_file_of_vgg16_gives_the_same_network(weights_files, tmp_path, extractor, form):
    torch, keras = weights_files.small_vgg16()
    if form == "keras":
        pytest.importorskip("h5py")
        weights_files.write_keras(tmp_path / "weights", keras)
    else:
        getattr(weights_files, f"write_{form}")(
            tmp_path / "weights", weights_files.state_dict(torch)
        )
    opened = open_deepspectrum("deepspectrum_vgg16", str(tmp_path / "weights"))
    image = jax.random.normal(jax.random.key(0), (1, 224, 224, 3))
    expected, found = (jax.jit(imagenet.vgg16)(one.layers, image) for one in (extractor, opened))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (np.asarray(expected) > 0).any()


def test_keras_and_torch_weights_are_fed_nearly_the_same_pixels():
    """Both are means over ImageNet, of Caffe and of Torch; only Torch divides by the deviation."""
    keras, torch = (BACKBONES["deepspectrum_vgg16"].origins[kind] for kind in ("keras", "torch"))
    np.testing.assert_allclose(keras.mean, torch.mean, atol=0.6)
    assert keras.mean[0] > keras.mean[1] > keras.mean[2]  # red, green, blue


def test_clips_that_are_silent_in_16_bits_have_features(extractor):
    audio, length = deepspectrum._batch([np.zeros(5000, np.int16)])
    features = deepspectrum._forward(
        extractor.backbone.forward, extractor.origin, extractor.layers, audio, length
    )
    assert np.isfinite(features).all()


def test_a_stopped_extraction_goes_on_where_it_was(corpus, extractor, cache, tmp_path, monkeypatch):
    shutil.copytree(cache, tmp_path, dirs_exist_ok=True)
    files = sorted(tmp_path.rglob("*.npy"))
    assert [file.stem for file in files] == sorted({clip.digest for clip in corpus.clips})
    files[0].unlink()
    asked = []
    extracted = deepspectrum.DeepSpectrum._extracted

    def counting(self, corpus, indices):
        asked.extend(indices)
        return extracted(self, corpus, indices)

    monkeypatch.setattr(deepspectrum.DeepSpectrum, "_extracted", counting)
    again = extractor.features(corpus, tmp_path)
    assert [corpus.clips[index].digest for index in asked] == [files[0].stem]
    np.testing.assert_allclose(again, extractor.features(corpus, cache), atol=1e-3)
    assert len(asked) == 1


def test_other_weights_have_a_cache_of_their_own(corpus, extractor, cache, tmp_path):
    shutil.copytree(cache, tmp_path, dirs_exist_ok=True)
    layers = {name: (kernel, bias + 1) for name, (kernel, bias) in extractor.layers.items()}
    other = dataclasses.replace(extractor, layers=layers, sha256="0" * 64)
    assert (other.features(corpus, tmp_path) != extractor.features(corpus, tmp_path)).any()


def test_weights_of_another_network_are_one_clear_error(weights_files, tmp_path):
    path = tmp_path / "weights.pth"
    torch, keras = weights_files.small_vgg16()
    headless = {name: array for name, array in torch.items() if "classifier" not in name}
    weights_files.write_zip(path, weights_files.state_dict(headless))
    with pytest.raises(
        ValueError, match=r"no VGG16 with its classifier: 'classifier.0.weight' is missing"
    ):
        open_deepspectrum("deepspectrum_vgg16", str(path))
    wider = torch | {"features.2.weight": np.zeros((3, 5, 3, 3), np.float32)}
    weights_files.write_zip(path, weights_files.state_dict(wider))
    with pytest.raises(ValueError, match=r"weights\.pth holds no VGG16: "):
        open_deepspectrum("deepspectrum_vgg16", str(path))
    pytest.importorskip("h5py")
    weights_files.write_keras(path, {**keras, "block3_conv4": keras["block3_conv3"]})  # VGG19
    with pytest.raises(ValueError, match=r"no VGG16: it has 14 convolutions instead of 13"):
        open_deepspectrum("deepspectrum_vgg16", str(path))
    del keras["fc2"]
    weights_files.write_keras(path, keras)
    with pytest.raises(ValueError, match="no VGG16 with its classifier: 'fc2' is missing"):
        open_deepspectrum("deepspectrum_vgg16", str(path))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"weights\.pth cannot be read"):
        open_deepspectrum("deepspectrum_vgg16", str(path))


def test_without_weights_the_error_names_the_choices(tmp_path, monkeypatch):
    choices = (
        r"keras-applications/vgg16.*download\.pytorch\.org.*"
        r"--vgg16_weights=FILE.*deepspectrum_lite0"
    )
    with pytest.raises(ValueError, match=rf"missing\.h5: no such file; .*{choices}"):
        open_deepspectrum("deepspectrum_vgg16", str(tmp_path / "missing.h5"))

    def unreachable(*_, **__):
        raise DownloadError("no network")

    monkeypatch.setattr(weights, "download", unreachable)
    with pytest.raises(ValueError, match=rf"download failed: no network; .*{choices}"):
        open_deepspectrum("deepspectrum_vgg16")
