"""The ONNX graph is the network: the same answers, whatever its settings and the batch."""

import numpy as np
import onnxruntime
import pytest

import emojax
from emojax.export.onnx import ONNX_FILE, export_onnx

# Runtimes in a browser have these and few others.
OPERATORS = {
    *("Add", "AveragePool", "Cast", "Concat", "Conv", "Div", "Exp", "Gather", "GatherND", "Gemm"),
    *("Greater", "Less", "Log", "MatMul", "Max", "Min", "Mul", "Pad", "Range", "ReduceMax"),
    *("ReduceSum", "Relu", "Reshape", "Shape", "Softmax", "Sqrt", "Squeeze", "Sub", "Tanh"),
    *("Transpose", "Unsqueeze", "Where"),
}


@pytest.fixture(scope="module", params=["emojax-small", "tiny", "other"])
def exported(request, tiny_run, other_run, tmp_path_factory):
    """A model, and a session of its export."""
    run = {"tiny": str(tiny_run), "other": str(other_run)}.get(request.param, request.param)
    corpus = None if run == request.param else "tones"
    folder = export_onnx(run, tmp_path_factory.mktemp("onnx"), corpus)
    return emojax.load(run, corpus), onnxruntime.InferenceSession(folder / ONNX_FILE)


def batch_of(clips, samples):
    """Inputs with padding and, as the last row, a filler."""
    audio = np.zeros((len(clips) + 1, samples), np.float32)
    for row, clip in zip(audio, clips, strict=False):
        row[: len(clip)] = clip
    return {"audio": audio, "length": np.array([*map(len, clips), 0], np.int64)}


def test_answers_are_those_of_emojax_alone_and_in_a_batch(exported, clips):
    model, session = exported
    answers = [list(own.values()) for own in model.predict_many([(c, 16_000) for c in clips])]
    embedding = model.embed(clips[0], 16_000)
    together, embeddings = session.run(None, batch_of(clips, len(clips[0]) + 777))
    np.testing.assert_allclose(together[:-1], answers, rtol=0, atol=1e-4)
    np.testing.assert_allclose(embeddings[0], embedding, rtol=1e-3, atol=1e-3)
    assert np.isfinite(together).all()
    for clip, answer in zip(clips, answers, strict=True):
        inputs = {"audio": clip[None], "length": np.array([len(clip)], np.int64)}
        np.testing.assert_allclose(session.run(None, inputs)[0], [answer], rtol=0, atol=1e-4)


def test_answers_of_the_network_differ_between_clips(exported, clips):
    _, session = exported
    answers, _ = session.run(None, batch_of(clips, len(clips[0])))
    assert np.ptp(answers[:-1], axis=0).max() > 1e-3  # else equal answers would prove little


def test_every_operator_is_a_usual_one(other_run, tmp_path):
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(export_onnx(str(other_run), tmp_path, "tones") / ONNX_FILE).graph
    assert {node.op_type for node in graph.node} <= OPERATORS


def test_a_network_that_hears_pitch_is_refused_in_one_line(hearing_run, tmp_path):
    with pytest.raises(ValueError, match=r"^pitch_channels cannot .* --format=stablehlo$"):
        export_onnx(str(hearing_run), tmp_path / "onnx", "tones")
    assert not (tmp_path / "onnx").exists()
