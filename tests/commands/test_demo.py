import socket

import pytest
import uvicorn

from emojax.commands.__main__ import main


@pytest.fixture
def arguments(tiny_run):
    return ["demo", f"--model={tiny_run}", "--corpus=tones"]


@pytest.fixture
def stopped_at_once(monkeypatch):
    """A server that somebody stops as soon as it listens; it notes where."""
    heard = []

    def run(server, sockets):
        heard.extend(own.getsockname() for own in sockets)
        raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "run", run)
    return heard


def test_only_this_machine_is_answered_unless_said(arguments, stopped_at_once, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--port=0"])
    assert stop.value.code == 0
    said = capsys.readouterr()
    address, port = stopped_at_once[0]
    assert address == "127.0.0.1"
    assert f"http://127.0.0.1:{port}/" in said.out
    assert not said.err
    with pytest.raises(SystemExit):
        main([*arguments, "--port=0", "--host=0.0.0.0"])
    assert "whoever reaches this machine" in capsys.readouterr().err


def test_a_port_that_is_taken_is_one_line(arguments, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as stop:
        main([*arguments, f"--port={taken.getsockname()[1]}"])
    assert stop.value.code == 1
    assert "another --port" in capsys.readouterr().err


def test_a_folder_needs_the_runtime(arguments, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*arguments, f"--static={tmp_path / 'page'}", f"--onnxruntime_web={tmp_path}"])
    assert stop.value.code == 1
    assert "npm install onnxruntime-web" in capsys.readouterr().err
    assert not (tmp_path / "page").exists()
