import json

import pytest

from emojax.demo.folder import RUNTIME, write_folder

RUNTIME_FILE = f"onnxruntime-web/{RUNTIME[0]}"


@pytest.fixture
def runtime(tmp_path):
    (tmp_path / "dist").mkdir()
    for name in RUNTIME:
        (tmp_path / "dist" / name).write_text(name)
    return tmp_path / "dist"


def test_the_folder_has_page_network_and_runtime(tiny_run, runtime, tmp_path, model, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = write_folder("~/page", str(tiny_run), "tones", f"~/{runtime.name}")
    assert folder == tmp_path / "page"
    page = json.loads((folder / "page.json").read_text())
    assert page["engine"] == "onnx"
    assert [label["name"] for label in page["labels"]] == list(model.labels)
    assert len(page["calibration"]["mean"]) == len(page["calibration"]["axes"][0])
    assert page["speech"]["chunk_samples"] == 512
    for name in ("index.html", "network/model.onnx", "network/silero_vad.onnx", RUNTIME_FILE):
        assert (folder / name).stat().st_size
    assert not (folder / "server.js").exists()


def test_no_folder_is_written_where_something_is_missing(tiny_run, runtime, tmp_path):
    folder = tmp_path / "page"
    with pytest.raises(ValueError, match="nothing"):
        write_folder(folder, str(tiny_run), "nothing", runtime)
    (runtime / RUNTIME[0]).unlink()
    with pytest.raises(ValueError, match="npm install onnxruntime-web"):
        write_folder(folder, str(tiny_run), "tones", runtime)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist"]
