import sys
import types

import numpy as np
import pytest
import soundfile

from emojax.commands import listen
from emojax.commands.__main__ import main


@pytest.fixture
def arguments(tiny_run):
    return ["listen", f"--model={tiny_run}", "--corpus=tones"]


def test_a_recording_is_answered_every_second(arguments, tmp_path, capsys, monkeypatch):
    waits = []
    monkeypatch.setattr(listen.time, "sleep", waits.append)
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000 * 4)
    soundfile.write(tmp_path / "call.wav", noise, 16_000)
    assert main([*arguments, f"--file={tmp_path / 'call.wav'}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["3.0", "4.0"]
    assert "high" in lines[0] or "low" in lines[0] or "middle" in lines[0]
    assert max(waits) > 1  # it would have waited for speech


def test_the_microphone_is_heard_until_ctrl_c(arguments, capsys, monkeypatch):
    class InputStream:
        def __init__(self, rate_hz, size, *, channels, callback):
            self.blocks = [np.full((size, channels), value, np.float32) for value in (0.1, -0.1)]
            self.callback = callback

        def __enter__(self):
            for place in range(32):
                self.callback(self.blocks[place % 2], None, None, None)

        def __exit__(self, *_):
            pass

    fake = types.SimpleNamespace(InputStream=InputStream, PortAudioError=RuntimeError)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    get = listen.queue.Queue.get

    def stop_when_empty(self):
        if self.empty():
            raise KeyboardInterrupt
        return get(self)

    monkeypatch.setattr(listen.queue.Queue, "get", stop_when_empty)
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 0
    assert capsys.readouterr().out.split()[0] == "3.0"


def test_what_is_missing_is_named(arguments, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(SystemExit):
        main(arguments)
    assert 'pip install "emojax[microphone]"' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*arguments, "--file=nowhere.wav"])
    assert "nowhere.wav: no such file" in capsys.readouterr().err
