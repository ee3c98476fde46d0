"""Recognition of file formats by their first bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import BinaryIO

from emojax.audio import flac, mpeg, ogg, riff
from emojax.audio.pieces import BadAudio, Piece, bytes_at

_HEAD_BYTES = 512
_ID3_HEADER_BYTES = 10

_CONVERT = "convert it to wav: ffmpeg -i IN OUT.wav"
_UNPACK = "unpack it first"
_AGAIN = "download the recording again"

# Offset, magic number, name, and advice; the first match counts.
_OTHERS: tuple[tuple[int, bytes, str, str], ...] = (
    (
        0,
        b"version https://git-lfs",
        "a git-lfs pointer, not the recording",
        "fetch it: git lfs pull",
    ),
    (8, b"AIFF", "AIFF", _CONVERT),
    (8, b"AIFC", "AIFF-C", _CONVERT),
    (8, b"WEBP", "a picture (WebP)", _AGAIN),
    (0, b".snd", "Sun audio (au)", _CONVERT),
    (0, b"caff", "Apple Core Audio (caf)", _CONVERT),
    (0, b"riff\x2e\x91\xcf\x11", "Sony Wave64 (w64)", _CONVERT),
    (0, b"BW64", "Broadcast Wave 64", _CONVERT),
    (0, b"NIST_1A", "NIST SPHERE (sph)", "convert it to wav: sox IN.sph OUT.wav"),
    (0, b"wvpk", "WavPack", _CONVERT),
    (0, b"MAC ", "Monkey's Audio", _CONVERT),
    (0, b"TTA1", "True Audio", _CONVERT),
    (0, b"DSD ", "DSD audio", _CONVERT),
    (0, b"#!SILK", "SILK voice", _CONVERT),
    (0, b"\x02#!SILK", "SILK voice", _CONVERT),
    (0, b"Creative Voice", "Creative Voice (voc)", _CONVERT),
    (0, b".RMF", "RealMedia", _CONVERT),
    (0, b".ra\xfd", "RealAudio", _CONVERT),
    (8, b"AVI ", "AVI", _CONVERT),
    (0, b"FLV\x01", "Flash video", _CONVERT),
    (0, b"\x00\x00\x01\xba", "MPEG video", _CONVERT),
    (0, b"MThd", "MIDI, which holds notes and no sound", "record it"),
    (0, b"PK\x03\x04", "a zip archive", _UNPACK),
    (0, b"\x1f\x8b", "a gzip archive", _UNPACK),
    (0, b"BZh", "a bzip2 archive", _UNPACK),
    (0, b"\xfd7zXZ", "an xz archive", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (0, b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (0, b"Rar!", "a rar archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"%PDF", "a PDF", "give the recording itself"),
    (
        0,
        b"\x93NUMPY",
        "a NumPy array",
        "load it with np.load and pass the samples, or write them as wav",
    ),
    (0, b"\x89HDF", "HDF5", "write its samples as wav"),
    (0, b"MATLAB", "a MATLAB file", "write its samples as wav"),
    (0, b"\x80\x04", "a pickle", "write its samples as wav"),
    (0, b"PAR1", "a Parquet table", "write its recordings as files"),
    (0, b"SQLite format", "an SQLite database", "write its recordings as files"),
    (0, b"\x89PNG", "a picture (PNG)", "give the recording itself"),
    (0, b"\xff\xd8\xff", "a picture (JPEG)", "give the recording itself"),
    (0, b"GIF8", "a picture (GIF)", "give the recording itself"),
)
# Offset, magic number, name, and ffmpeg's demuxer.
_CONTAINERS: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"ftyp", "MP4 (m4a, mp4, mov, 3gp)", "mov"),
    (4, b"moov", "QuickTime (mov)", "mov"),
    (4, b"mdat", "QuickTime (mov)", "mov"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska (webm, mkv)", "matroska"),
    (0, b"#!AMR", "AMR", "amr"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (wma)", "asf"),
)


@dataclasses.dataclass(frozen=True)
class Format:
    """Format of a file, and its decoder.

    Attributes:
      name: name in messages.
      start: position of the first byte after tags.
      pieces: function that finds the recordings for libsndfile; None for a container.
      demuxer: ffmpeg's name of a container; "" for the five formats.
    """

    name: str
    start: int
    pieces: Callable[[BinaryIO, int, int], list[Piece]] | None = None
    demuxer: str = ""


def recognise(file: BinaryIO, size: int) -> Format:
    """Return the format of a file of ``size`` bytes.

    Raises:
      BadAudio: the file has another format; the message names it and says what to do.
    """
    start = _after_tags(file, size)
    head = bytes_at(file, start, _HEAD_BYTES)
    if riff.is_wav(head):
        return Format("wav", start, riff.pieces)
    if head.startswith(b"fLaC"):
        return Format("flac", start, flac.pieces)
    if head.startswith(b"OggS"):
        return Format("ogg", start, ogg.pieces)
    for place, magic, name, demuxer in _CONTAINERS:
        if head[place:].startswith(magic):
            return Format(name, start, demuxer=demuxer)
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return Format("AAC (adts)", start, demuxer="aac")
    _refuse_others(head)
    if mpeg.first_frame(file, start, size) >= 0:
        return Format("mp3", start, mpeg.pieces)
    raise BadAudio(f"undecodable: no audio format begins with the bytes {head[:8].hex(' ')}")


def _after_tags(file: BinaryIO, size: int) -> int:
    """Return the position after ID3 tags, which may precede any format."""
    start = 0
    while (head := bytes_at(file, start, _ID3_HEADER_BYTES)).startswith(b"ID3") and len(head) == 10:
        footer = _ID3_HEADER_BYTES if head[5] & 0x10 else 0
        start += (
            _ID3_HEADER_BYTES
            + sum(
                (byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
            )
            + footer
        )
    if start >= size:
        raise BadAudio("truncated: nothing after the tag at its beginning")
    return start


def _refuse_others(head: bytes) -> None:
    for place, magic, name, remedy in _OTHERS:
        if head[place:].startswith(magic):
            raise BadAudio(f"undecodable: {name}; {remedy}")
    if kind := _kind_of_text(head):
        raise BadAudio(f"undecodable: {kind}")


def _kind_of_text(head: bytes) -> str:
    """Return the kind of text that a file begins with; "" if it is not text.

    >>> _kind_of_text(b'{"error": "quota"}')
    'JSON, not a recording'
    """
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = head.decode(encoding, "ignore")
    if not text.strip() or not all(c.isprintable() or c.isspace() for c in text):
        return ""
    start = text.lstrip().lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body", "<script")):
        return f"a web page (HTML), which is what a server answered; {_AGAIN}"
    if start.startswith("<"):
        return "XML, not a recording"
    return (
        "JSON, not a recording" if start.startswith(("{", "[")) else "plain text, not a recording"
    )
