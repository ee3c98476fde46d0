"""The StableHLO file is the network: the same answers, for any number of clips and samples."""

import numpy as np
import pytest
from jax import export

import emojax
from emojax.export.stablehlo import STABLEHLO_FILE, export_stablehlo


@pytest.fixture(scope="module", params=["other_run", "hearing_run"])
def exported(request, tmp_path_factory):
    """A model, and its export as a function."""
    run = request.getfixturevalue(request.param)
    folder = export_stablehlo(str(run), tmp_path_factory.mktemp("stablehlo"), "tones")
    content = bytearray((folder / STABLEHLO_FILE).read_bytes())
    return emojax.load(run, "tones"), export.deserialize(content)


def test_answers_are_those_of_emojax(exported, clips):
    model, network = exported
    answers = [list(own.values()) for own in model.predict_many([(c, 16_000) for c in clips])]
    audio = np.zeros((len(clips) + 1, len(clips[0]) + 1), np.float32)
    for row, clip in zip(audio, clips, strict=False):
        row[: len(clip)] = clip
    length = np.array([*map(len, clips), 0], np.int32)
    found = network.call(audio, length)
    np.testing.assert_allclose(found["probabilities"][:-1], answers, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found["embedding"][0], model.embed(clips[0], 16_000), atol=1e-4)
    assert np.isfinite(found["probabilities"]).all()
    alone = network.call(clips[1][None], length[1:2])
    np.testing.assert_allclose(alone["probabilities"], answers[1:2], rtol=0, atol=1e-5)


def test_one_file_is_for_every_platform(exported):
    assert exported[1].platforms == ("cpu", "cuda", "tpu")
