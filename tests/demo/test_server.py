import json
import tempfile

import numpy as np
import pytest
import soundfile
from starlette.websockets import WebSocketDisconnect

from emojax.demo import recording as recordings
from emojax.demo import server
from emojax.demo.recording import window
from emojax.timeline.windows import window_spans


def lines(answer):
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_file_is_answered_window_by_window(client, model, recording):
    head, *parts = lines(client.post("/answers", content=recording.read_bytes()))
    assert head["duration_s"] == 11
    assert len(head["stretches"]) == 3
    assert max(head["waveform"]["high"]) == 100
    windows = [one for part in parts for one in part["windows"]]
    samples = soundfile.read(recording, dtype="float32")[0]
    spans = [
        span
        for stretch in head["stretches"]
        for span in window_spans(tuple(round(16_000 * bound_s) for bound_s in stretch))
    ]
    expected = model.predict_windows([samples[first:last] for first, last in spans])
    assert [one["start_s"] for one in windows] == [first / 16_000 for first, _ in spans]
    for one, answer in zip(windows, expected, strict=True):
        np.testing.assert_allclose(one["probabilities"], list(answer.values()), atol=1e-4)
        np.testing.assert_allclose(one["embedding"], answer.embedding, atol=1e-4)


def test_nothing_stays_on_the_disk(client, recording, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert client.post("/answers", content=recording.read_bytes()).status_code == 200
    assert client.post("/answers", content=b"text").status_code == 422
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"Dear Sir, " * 99, "undecodable")]
)
def test_what_is_no_recording_is_refused_with_its_reason(client, content, reason):
    answer = client.post("/answers", content=content)
    assert answer.status_code == 422
    assert reason in answer.json()["error"]


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in blocks"])
def test_a_file_that_is_too_large_is_refused(client, monkeypatch, announced):
    monkeypatch.setattr(server, "MOST_BYTES", 10_000)
    content = bytes(20_000) if announced else iter([bytes(8_000)] * 3)
    answer = client.post("/answers", content=content)
    assert answer.status_code == 413
    assert "larger than 100 MB" in answer.json()["error"]


def test_a_recording_that_is_too_long_is_refused(client, recording, monkeypatch):
    monkeypatch.setattr(recordings, "LONGEST_S", 10)
    answer = client.post("/answers", content=recording.read_bytes())
    assert answer.status_code == 422
    assert "emojax timeline" in answer.json()["error"]


def test_the_stream_answers_as_the_model_does(client, model):
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * 8_000).astype(np.float32)
    stream = model.stream(8_000)
    expected = [window(*moment) for moment in [*stream.feed(noise), *stream.finish()]]
    with client.websocket_connect("ws://localhost/stream?rate=8000") as page:
        for block in np.split(noise, 50):
            page.send_bytes(block.tobytes())
        page.send_text("finish")
        got = [page.receive_json() for _ in expected]
        with pytest.raises(WebSocketDisconnect) as end:
            page.receive_json()
    assert end.value.code == 1000
    for one, other in zip(got, expected, strict=True):
        assert (one["start_s"], one["end_s"]) == (other["start_s"], other["end_s"])
        np.testing.assert_allclose(one["probabilities"], other["probabilities"], atol=1e-3)


@pytest.mark.parametrize(
    ("rate", "block", "reason"),
    [
        ("0", b"", "sample rate 0"),
        ("fast", b"", "sample rate 0"),
        ("16000", b"abc", "3 bytes"),
        ("16000", bytes(server.MOST_BLOCK_BYTES + 4), "1048580 bytes"),
        ("16000", np.array([np.nan], "<f4").tobytes(), "NaN"),
    ],
)
def test_a_stream_of_something_else_is_closed_with_its_reason(client, rate, block, reason):
    with client.websocket_connect(f"ws://localhost/stream?rate={rate}") as page:
        page.send_bytes(block)
        assert reason in page.receive_json()["error"]
        with pytest.raises(WebSocketDisconnect) as end:
            page.receive_json()
    assert end.value.code == 1008


def test_a_stream_is_not_endless(client, monkeypatch):
    monkeypatch.setattr(server, "LONGEST_S", 60)
    with client.websocket_connect("ws://localhost/stream?rate=4000") as page:
        page.send_bytes(bytes(4 * 4_000 * 61))
        assert "more than 1 minutes" in page.receive_json()["error"]


def test_the_page_is_told_the_labels(client, model):
    page = client.get("/page.json").json()
    assert [label["name"] for label in page["labels"]] == list(model.labels)
    assert page["engine"] == "server"
