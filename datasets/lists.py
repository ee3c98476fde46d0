"""Publishers' lists of files with checksums, for corpora without an archive."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from datasets.errors import CorpusError
from datasets.unpack import safe_names
from emojax.corpora.spec import Download

# Suffix that programs give to incomplete downloads.
_HALF_FETCHED = ".part"


@dataclasses.dataclass(frozen=True)
class Listed:
    """A file of a list: its name, and the arguments of :func:`emojax.download.download`."""

    name: str
    address: str
    bytes: int
    checksum: str


def read_list(path: Path, download: Download) -> list[Listed]:
    """Read the files that a list names below the download's ``inside``.

    Raises:
      CorpusError: the file is no such list, contains a name that
        :func:`datasets.unpack.safe_names` refuses or that an incomplete download would have, has
        more bytes than the catalogue says, or names no file below ``inside``.
    """
    prefix = f"{download.inside}/" if download.inside else ""
    try:
        files = list(_FORMATS[download.lists](path.read_text(encoding="utf-8"), download.address))
        files = [file for file in files if file.name.startswith(prefix)]
        names = safe_names(file.name.removeprefix(prefix) for file in files)
    except CorpusError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise CorpusError(f"it is no list of files as {download.lists} has them") from None
    if not files:
        raise CorpusError(f"it lists nothing whose name begins with {prefix!r}")
    if half := {name + _HALF_FETCHED for name in names} & set(names):
        raise CorpusError(f"it lists {min(half)!r}, which names a half-fetched file")
    if download.bytes and sum(file.bytes for file in files) > download.bytes:
        raise CorpusError(f"it lists more than the {download.bytes} bytes that are known")
    return [dataclasses.replace(file, name=name) for file, name in zip(files, names, strict=True)]


def _tfds(text: str, address: str) -> Iterator[Listed]:
    """Read the checksums file of tfds: one line of address, bytes and SHA-256 per file."""
    for line in text.splitlines():
        file, size, sha256 = line.split()[:3]
        yield Listed(urllib.parse.unquote(file), file, _size(size), _checksum("sha256", sha256))


def _dataverse(text: str, address: str) -> Iterator[Listed]:
    """Read the JSON of a data set from Dataverse (guides.dataverse.org, Native API)."""
    for entry in json.loads(text)["data"]["latestVersion"]["files"]:
        file = entry["dataFile"]
        yield Listed(
            "/".join(filter(None, (entry.get("directoryLabel"), file["filename"]))),
            urllib.parse.urljoin(address, f"/api/access/datafile/{int(file['id'])}"),
            _size(file["filesize"]),
            _checksum(file["checksum"]["type"], file["checksum"]["value"]),
        )


def _size(written: str | int) -> int:
    if (size_bytes := int(written)) < 0:
        raise ValueError(f"{written!r} is no size")
    return size_bytes


def _checksum(algorithm: str, value: str) -> str:
    """Return ``ALGORITHM:HEX``; ValueError if the algorithm or the length is not valid.

    >>> _checksum("SHA-1", "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    'sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709'
    """
    algorithm = algorithm.lower().replace("-", "")
    if not value or len(bytes.fromhex(value)) != hashlib.new(algorithm).digest_size:
        raise ValueError(f"{value!r} is no {algorithm}")
    return f"{algorithm}:{value}"


_FORMATS = {"tfds": _tfds, "dataverse": _dataverse}
