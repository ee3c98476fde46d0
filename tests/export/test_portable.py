"""What lies beside an exported network: its description, and an example that works."""

import ast
import json
import os
import subprocess
import sys

import pytest
import soundfile

import emojax
from emojax.export.onnx import export_onnx
from emojax.export.portable import load_portable
from emojax.export.stablehlo import export_stablehlo
from emojax.inference.calibration import read_calibrations


@pytest.mark.parametrize("export", [export_onnx, export_stablehlo])
def test_the_example_answers_without_emojax(export, tiny_run, clips, tmp_path):
    folder = export(str(tiny_run), tmp_path / "net", "tones")
    assert len(list(folder.iterdir())) == 3
    soundfile.write(folder / "call.wav", clips[0], 16_000, subtype="FLOAT")
    example = (folder / "README.md").read_text("utf-8").split("```")[1].removeprefix("python\n")
    example += "import sys; print([name for name in ('emojax', 'flax') if name in sys.modules])"
    # The repository is not on the path.
    environment = {name: own for name, own in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-P", "-c", example]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    answer, imported = done.stdout.splitlines() or pytest.fail(done.stderr)
    ours = emojax.load(tiny_run, "tones").predict(clips[0], 16_000)
    assert ast.literal_eval(answer) == pytest.approx(ours, abs=1e-4)
    assert imported == "[]"


def test_the_description_has_what_a_program_needs(tiny_run, tmp_path):
    folder = export_onnx(str(tiny_run), tmp_path / "net", "levels", "mit")
    about = json.loads((folder / "model.json").read_text())
    assert {name: about[name] for name in ("file", "corpus", "labels", "license")} == {
        "file": "model.onnx",
        "corpus": "levels",
        "labels": ["loud", "soft"],
        "license": "mit",
    }
    assert about["front_end"]["sample_rate_hz"] == 16_000
    assert about["temperature"] == read_calibrations(tiny_run)["levels"].temperature != 1
    assert about["embedding_size"] == 32
    assert about["versions"]["emojax"]


def test_a_published_model_keeps_its_licence():
    assert load_portable("emojax-small").license == "cc-by-nc-sa-4.0"


def test_a_label_of_strangers_is_shown_as_it_is(tiny_run, tmp_path, monkeypatch):
    network = load_portable(str(tiny_run), "levels")
    monkeypatch.setattr(
        "emojax.export.onnx.load_portable",
        lambda *_: network.__class__(**{**vars(network), "labels": ("<b>", "{name}")}),
    )
    folder = export_onnx(str(tiny_run), tmp_path / "net", "levels")
    assert r"\<b\>, {name}" in (folder / "README.md").read_text("utf-8")
    assert json.loads((folder / "model.json").read_text())["labels"] == ["<b>", "{name}"]
