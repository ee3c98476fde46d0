"""Publishers' lists of files with their checksums, where there is no archive of a corpus."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from datasets.base import CorpusError
from datasets.unpack import safe_name
from emojax.corpora.spec import Download


@dataclasses.dataclass(frozen=True)
class Listed:
    """A file of a list: its name in the corpus, and what :func:`datasets.transfer.transfer` needs."""

    name: str
    address: str
    bytes: int
    checksum: str


def read_list(path: Path, download: Download) -> list[Listed]:
    """The files that a list names below the download's ``inside``.

    Raises:
      CorpusError: where it is no list, has a name that leads out of the corpus, or nothing that is wanted.
    """
    prefix = f"{download.inside}/" if download.inside else ""
    try:
        files = list(_FORMATS[download.lists](path.read_text(encoding="utf-8"), download.address))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise CorpusError(f"{download.address}: is no list of files as {download.lists} has them") from None
    files = [
        dataclasses.replace(file, name=safe_name(file.name.removeprefix(prefix)))
        for file in files
        if file.name.startswith(prefix)
    ]
    if not files:
        raise CorpusError(f"{download.address}: lists nothing whose name begins with {prefix!r}")
    return files


def _tfds(text: str, address: str) -> Iterator[Listed]:
    """As tfds keeps checksums: a line of address, bytes and SHA-256 per file, named by its address."""
    for line in text.splitlines():
        file, size, sha256 = line.split()[:3]
        yield Listed(urllib.parse.unquote(file), file, int(size), _checksum("sha256", sha256))


def _dataverse(text: str, address: str) -> Iterator[Listed]:
    """A data set as Dataverse's native API describes it (guides.dataverse.org, Native API)."""
    for entry in json.loads(text)["data"]["latestVersion"]["files"]:
        file = entry["dataFile"]
        yield Listed(
            "/".join(filter(None, (entry.get("directoryLabel"), file["filename"]))),
            urllib.parse.urljoin(address, f"/api/access/datafile/{int(file['id'])}"),
            int(file["filesize"]),
            _checksum(file["checksum"]["type"], file["checksum"]["value"]),
        )


def _checksum(algorithm: str, value: str) -> str:
    """``ALGORITHM:HEX``; a ValueError for what checks nothing, or is no checksum of this algorithm.

    >>> _checksum("SHA-1", "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    'sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709'
    """
    algorithm = algorithm.lower().replace("-", "")
    if not value or len(bytes.fromhex(value)) != hashlib.new(algorithm).digest_size:
        raise ValueError(f"{value!r} is no {algorithm}")
    return f"{algorithm}:{value}"


_FORMATS = {"tfds": _tfds, "dataverse": _dataverse}
