"""Speech synthesis by espeak-ng, as a pure function of text, voice and rate."""

from __future__ import annotations

import ctypes
import functools
import tempfile
import threading
from pathlib import Path

import numpy as np

from emojax.audio.reading import to_mono_16khz

# Constants of espeak-ng's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_POS_CHARACTER = 1
_CHARS_UTF8 = 1
_RATE = 1
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)

# Turn off pitch flutter and roughness (8 is off): their states carry over to the next utterance.
_STATELESS = "flutter 0\nroughness 8\n"

_lock = threading.Lock()  # espeak-ng keeps its state in global variables.


def speak(text: str, voice: str, words_per_minute: int) -> np.ndarray:
    r"""Speak a text.

    Args:
      text: text to speak.
      voice: content of an espeak-ng voice file, e.g. ``"language de\npitch 90 130\n"`` with the
        lowest and highest pitch in Hz.
      words_per_minute: 80 to 450.

    Returns:
      float32 [n], 16 kHz, −1..1; depends on nothing but the arguments.

    Raises:
      ImportError: espeakng-loader is not installed.
      RuntimeError: espeak-ng cannot read its data or the voice.

    Source: https://github.com/espeak-ng/espeak-ng/blob/master/docs/voices.md
    """
    with _lock:
        return to_mono_16khz(*_espeak().say(text, voice + _STATELESS, words_per_minute))


@functools.cache
def _espeak() -> _Espeak:
    return _Espeak()


class _Espeak:
    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise ImportError(
                "the synthetic corpora are spoken by espeak-ng, which is not installed; "
                'run: pip install -e ".[synthetic]"'
            ) from error
        data = espeakng_loader.get_data_path()
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._rate_hz = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, 0, data.encode(), _INITIALIZE_DONT_EXIT
        )
        if self._rate_hz <= 0:
            raise RuntimeError(
                f"espeak-ng cannot read its data in {data}; it takes paths of up to 159 "
                "characters: install into a folder with a shorter path"
            )
        self._chunks: list[np.ndarray] = []
        self._callback = _CALLBACK(
            self._collect
        )  # espeak-ng keeps the pointer, so Python must keep the object.
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples, count: int, _events) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, text: str, voice: str, words_per_minute: int) -> tuple[np.ndarray, int]:
        """Return samples (int16 [n]) and their rate in Hz."""
        self._chunks.clear()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "voice")
            file.write_text(voice, encoding="utf-8")
            self._call("SetVoiceByFile", str(file).encode())
        self._call("SetParameter", _RATE, words_per_minute, 0)
        content = text.encode() + b"\0"
        self._call(
            "Synth",
            content,
            ctypes.c_size_t(len(content)),
            0,
            _POS_CHARACTER,
            0,
            _CHARS_UTF8,
            None,
            None,
        )
        return np.concatenate(self._chunks), self._rate_hz

    def _call(self, name: str, *arguments) -> None:
        status = getattr(self._library, f"espeak_{name}")(*arguments)
        if status != 0:
            raise RuntimeError(f"espeak-ng: espeak_{name}{arguments} failed with status {status}")
