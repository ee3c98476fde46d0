"""The page in Chromium, whose microphone plays a recording; both ways to reach the network."""

import contextlib
import functools
import http.server
import os
import shutil
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
import uvicorn

from datasets.synthetic.espeak import speak
from emojax.demo.folder import RUNTIME, write_folder
from emojax.demo.server import make_app
from emojax.timeline import speech
from emojax.timeline.timeline import make_timeline

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium")
RUNTIME_FOLDER = Path(
    os.environ.get("EMOJAX_ONNXRUNTIME_WEB", "node_modules/onnxruntime-web/dist")
).absolute()
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser(recording):
    flags = [
        "--no-sandbox",  # containers have no namespaces for it
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={recording}%noloop",
    ]
    with playwright.sync_playwright() as started:
        yield started.chromium.launch(executable_path=CHROMIUM, args=flags)


@pytest.fixture
def open_page(browser):
    """Opens an address; at the end nothing but refusals was logged, and nobody else was asked."""
    said, asked = [], []

    def open_page(address, **options):
        page = contexts.enter_context(contextlib.closing(browser.new_page(**options)))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        return page

    with contextlib.ExitStack() as contexts:
        yield open_page
        origins = {address.split("/")[2] for address in asked if not address.startswith("blob:")}
    assert len(origins) == 1
    assert [text for text in said if "the server responded with a status of 4" not in text] == []


@pytest.fixture
def no_detector(monkeypatch):
    """Nothing finds pauses, so that tones count as speech."""
    monkeypatch.setattr(speech, "is_installed", lambda: False)


@pytest.fixture
def served(model):
    """The address of a server of ours."""
    server = uvicorn.Server(uvicorn.Config(make_app(model), log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


@pytest.fixture
def folder(tiny_run, tmp_path):
    """The address of the page as a folder, on a server that knows nothing of it."""
    if not all((RUNTIME_FOLDER / name).is_file() for name in RUNTIME):
        pytest.skip(
            "needs onnxruntime-web: npm install onnxruntime-web, here or where "
            "EMOJAX_ONNXRUNTIME_WEB says"
        )
    written = write_folder(tmp_path / "page", str(tiny_run), "tones", RUNTIME_FOLDER)
    handler = functools.partial(_QuietHandler, directory=written)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(params=["served", "folder"])
def address(request):
    return request.getfixturevalue(request.param)


def choose(page, *paths, button="#file"):
    page.set_input_files(button, list(paths))
    page.wait_for_selector(f"{button}:enabled")


def rows(page):
    """Return the table of segments: start, end, label, share, warning."""
    return [row.locator("td").all_text_contents() for row in page.locator("#table tr").all()]


@pytest.mark.usefixtures("loud_is_speech")
def test_the_page_of_a_file_is_its_timeline(served, open_page, model, recording):
    page = open_page(served)
    choose(page, recording)
    segments = make_timeline(model, recording).segments
    assert [row[2] for row in rows(page)] == [one.answer.label for one in segments]
    for row, one in zip(rows(page), segments, strict=True):
        assert row[:2] == [f"0:{one.start_s:04.1f}", f"0:{one.end_s:04.1f}"]
        assert abs(int(row[3].split()[0]) - 100 * one.answer[one.answer.label]) <= 1
    assert "tones.wav, 0:11.0" in page.inner_text("#title")
    assert page.locator("#wave svg").count() == 1


def test_both_pages_find_and_answer_the_same_speech(served, folder, browser, tmp_path):
    text, voice = (
        "The parcel came on Tuesday, and nobody was at home.",
        "language en\npitch 90 130\n",
    )
    spoken = speak(text, voice, 160)
    noise = np.random.default_rng(0).normal(0, 0.001, len(spoken) + 48_000)
    noise[32_000 : 32_000 + len(spoken)] += spoken
    soundfile.write(tmp_path / "spoken.wav", noise, 16_000)
    tables = []
    for address in (served, folder):
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        choose(page, tmp_path / "spoken.wav")
        tables.append(rows(page))
        page.close()
    assert tables[0] == tables[1]
    assert float(tables[0][0][0][2:]) > 1.5  # it begins with a pause


@pytest.mark.usefixtures("no_detector")
def test_a_folder_answers_as_the_model_does(folder, open_page, model, recording):
    page = open_page(folder)
    choose(page, recording)
    first = rows(page)[0]
    answer = model.predict_windows([soundfile.read(recording, dtype="float32")[0][:48_000]])[0]
    assert first[:1] + first[2:3] == ["0:00.0", answer.label]
    page.set_input_files("#file", {"name": "text.wav", "mimeType": "", "buffer": b"Dear Sir"})
    page.wait_for_selector("#problem:visible")
    assert "text.wav: this browser cannot decode it" in page.inner_text("#problem")


def test_the_microphone_is_answered_while_it_records(address, open_page):
    page = open_page(address)
    page.click("#record")
    page.wait_for_selector("#wave button")
    assert page.inner_text("#record") == "Stop"
    assert page.is_disabled("#file")
    page.click("#record")
    page.wait_for_selector("#audio:visible")
    assert page.inner_text("#record") == "Record"
    assert rows(page)[-1][1] >= "0:03.0"


@pytest.mark.usefixtures("no_detector")
def test_answers_are_of_own_labels_too(address, open_page, recording, tmp_path):
    samples, rate_hz = soundfile.read(recording)
    clips = {"<b>deep</b>": (0, 32_000), "shrill": (64_000, 96_000)}
    page = open_page(address)
    for label, (first, last) in clips.items():
        page.fill("#own_label", label)
        paths = [tmp_path / f"{first}-{take}.wav" for take in range(2)]
        for take, path in enumerate(paths):
            soundfile.write(path, samples[first + 8_000 * take : last + 8_000 * take], rate_hz)
        choose(page, *paths, button="#own_files")
    assert page.locator("#own_labels li").all_text_contents()[0].startswith("<b>deep</b>: 2 clips")
    choose(page, recording)
    page.check("[name=view][value=own]")
    page.wait_for_selector("#wave button >> text=shrill")
    labels = [row[2] for row in rows(page)]
    assert (labels[0], set(labels)) == ("<b>deep</b>", {"<b>deep</b>", "shrill"})
    page.click("text=Remove >> nth=0")
    page.wait_for_selector("#views", state="hidden")
    assert "shrill" not in page.inner_text("#shares")


def test_a_file_that_cannot_be_used_is_one_line(served, open_page, tmp_path):
    soundfile.write(tmp_path / "<i>short.wav", np.ones(10), 16_000)
    page = open_page(served)
    with page.expect_response("**/answers"):
        page.set_input_files("#file", tmp_path / "<i>short.wav")
    page.wait_for_selector("#problem:visible")
    assert page.inner_text("#problem").startswith("<i>short.wav: too short")
    assert page.is_enabled("#record")


@pytest.mark.usefixtures("loud_is_speech")
def test_keys_move_along_the_segments_of_a_narrow_page(served, open_page, recording):
    page = open_page(served, viewport={"width": 360, "height": 700})
    choose(page, recording)
    page.focus("#wave button >> nth=0")
    page.keyboard.press("ArrowRight")
    second = page.locator("#wave button").nth(1)
    assert page.inner_text("#answer_title") == second.get_attribute("title")
    page.keyboard.press("Enter")
    assert float(second.get_attribute("data-start_s")) - 0.1 < page.evaluate("audio.currentTime")
    assert page.evaluate("document.scrollingElement.scrollWidth") == 360
