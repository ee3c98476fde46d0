"""Samples as they lie in a record."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from emojax.data.tfds_features import PcmAudio

FEATURES = tfds.features.FeaturesDict({"audio": PcmAudio()})


@pytest.mark.parametrize("count", [0, 1, 4_001])
def test_samples_come_back_to_the_bit(count):
    samples = np.random.default_rng(0).integers(-32_768, 32_768, count).astype(np.int16)
    record = FEATURES.serialize_example({"audio": samples})
    read = FEATURES.deserialize_example_np(record)["audio"]
    assert read.dtype == np.int16
    np.testing.assert_array_equal(read, samples)


def test_the_sample_rate_is_kept_beside_the_records(tmp_path):
    tfds.features.FeaturesDict({"audio": PcmAudio(sample_rate=8_000)}).save_config(tmp_path)
    assert tfds.features.FeaturesDict.from_config(tmp_path)["audio"].sample_rate == 8_000


@pytest.mark.parametrize("samples", [np.zeros(10, np.float32), np.zeros((10, 2), np.int16)])
def test_other_samples_are_refused_not_converted(samples):
    with pytest.raises(ValueError, match='with name "audio"'):
        FEATURES.encode_example({"audio": samples})
