"""Sound of a recording for a page that a browser shows."""

from __future__ import annotations

import base64
import os
import tempfile
import urllib.parse
from pathlib import Path
from typing import NamedTuple

import soundfile

from emojax.audio.reading import SAMPLE_RATE_HZ, survey
from emojax.files import size_in_words

MAX_BYTES = 30_000_000
_MP3_BYTES_PER_S = 5_000  # what _MP3 takes at 16 kHz, mono
_MP3 = {
    "format": "MP3",
    "subtype": "MPEG_LAYER_III",
    "bitrate_mode": "CONSTANT",  # so that a browser jumps to the right place
    "compression_level": 0.8,
}
# What browsers play: format of libsndfile → media type.
_MEDIA = {
    "WAV": "audio/wav",
    "WAVEX": "audio/wav",
    "FLAC": "audio/flac",
    "MP3": "audio/mpeg",
    "OGG": "audio/ogg",
}
_WAV_SUBTYPES = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT")


class Sound(NamedTuple):
    """Sound for a page: the base64 of a file and its media type, or a link; and a line on it."""

    base64: str
    media_type: str
    link: str
    note: str


def sound_of(recording: str, duration_s: float, page: Path) -> Sound:
    """Return the file itself if browsers play it, else an MP3; a link where neither fits.

    Args:
      recording: path of the recording.
      duration_s: its length.
      page: path of the page.
    """
    media_type = _media_type(recording)
    if media_type and os.path.getsize(recording) <= MAX_BYTES:
        return _embedded(Path(recording), media_type, "The sound in this page is the file itself.")
    if duration_s * _MP3_BYTES_PER_S <= MAX_BYTES and "MP3" in soundfile.available_formats():
        with tempfile.TemporaryDirectory() as folder:
            _encode(recording, mp3 := Path(folder, "sound.mp3"))
            note = "The sound in this page is an MP3 of the recording, mono, 16 kHz."
            return _embedded(mp3, "audio/mpeg", note)
    link = os.path.relpath(os.path.abspath(recording), page.absolute().parent)
    note = (
        f"The sound is not in this page, which has room for {size_in_words(MAX_BYTES)}: keep the "
        "recording where it is, as seen from the page."
    )
    return Sound("", "", "./" + urllib.parse.quote(os.fsencode(link)), note)


def _media_type(recording: str) -> str:
    """Return the media type of a file that browsers play; empty for others."""
    try:
        with open(recording, "rb") as file:  # libsndfile refuses names that are no Unicode
            info = soundfile.info(file)
    except soundfile.SoundFileError:
        return ""
    is_odd_wav = info.format.startswith("WAV") and info.subtype not in _WAV_SUBTYPES
    return "" if is_odd_wav else _MEDIA.get(info.format, "")


def _embedded(path: Path, media_type: str, note: str) -> Sound:
    return Sound(base64.b64encode(path.read_bytes()).decode(), media_type, "", note)


def _encode(recording: str, mp3: Path) -> None:
    with soundfile.SoundFile(mp3, "w", SAMPLE_RATE_HZ, 1, **_MP3) as file:
        for block in survey(recording).blocks():
            file.write(block)
