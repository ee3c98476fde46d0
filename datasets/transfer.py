"""One file from an address: begun again where it was cut off, checked, and named only when it is right."""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path

import requests
from tqdm import tqdm

from datasets.base import CorpusError
from emojax.files import size_in_words

_ATTEMPTS = 5
_FIRST_PAUSE_S = 1.0
_TIMEOUT_S = 60
# What a breaking connection loses at most.
_CHUNK_BYTES = 2**16
_PART = ".part"


class NoSpaceError(CorpusError):
    """A disk has no room for what is to come."""


def new_session() -> requests.Session:
    """A session whose files come as they are: a part of a compressed transfer could not be continued."""
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"
    return session


def transfer(session: requests.Session, address: str, target: Path, checksum: str, bar: tqdm) -> None:
    """Fetch a file that is not there yet; the bar counts its bytes.

    What an earlier attempt left in ``target.part`` is not fetched again, where the server allows that.

    Args:
      session: see :func:`new_session`.
      address: where it lies.
      target: its path; nothing is there unless the file is whole and right.
      checksum: ``ALGORITHM:HEX``, as hashlib names them, or empty where none is published.
      bar: advances to the file's bytes, and learns their number where it does not know it.

    Raises:
      CorpusError: for an address that does not answer, a full disk, or another file than expected, which is
        removed.
    """
    if target.exists():
        bar.update(target.stat().st_size)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + _PART)
    _receive_patiently(session, address, part, bar)
    algorithm, _, expected = checksum.partition(":")
    if expected and (found := digest(part, algorithm)) != expected.lower():
        part.unlink()
        raise CorpusError(
            f"{address}: {algorithm} is {found}, and {expected} is expected, so this is another file, or a "
            "damaged one; it was removed. Try once more; if it stays so, the publisher has changed it"
        )
    part.rename(target)


def digest(path: Path, algorithm: str) -> str:
    """The checksum of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def check_space(folder: Path, needed_bytes: int) -> None:
    """A NoSpaceError where the disk that a folder lies on has no room for so much."""
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise NoSpaceError(
            f"not enough space in {folder}: {size_in_words(needed_bytes)} are needed, and "
            f"{size_in_words(free_bytes)} are free; make room, or choose another folder"
        )


def _receive_patiently(session: requests.Session, address: str, part: Path, bar: tqdm) -> None:
    """Receive the whole of a file, in several attempts where the connection breaks."""
    start = bar.n
    for attempt in range(_ATTEMPTS):
        try:
            return _receive(session, address, part, bar)
        except requests.RequestException as error:
            if attempt == _ATTEMPTS - 1 or not _is_passing(error):
                raise CorpusError(
                    f"{address}: cannot be fetched: {error}; what has come so far is kept, and the same "
                    "command goes on there"
                ) from None
        bar.n = start
        time.sleep(_FIRST_PAUSE_S * 2**attempt)


def _is_passing(error: requests.RequestException) -> bool:
    """Whether another attempt may help: not where the address is none, or the server refuses the request."""
    if isinstance(error, ValueError):
        return False
    status = error.response.status_code if error.response is not None else 503
    return status >= 500 or status in (requests.codes.too_many_requests, requests.codes.range_not_satisfiable)


def _receive(session: requests.Session, address: str, part: Path, bar: tqdm) -> None:
    """Append to a part what it lacks, if anything, or write it anew where the server sends files whole."""
    begun_bytes = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={begun_bytes}-"} if begun_bytes else {}
    with session.get(address, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
        if begun_bytes and response.status_code == requests.codes.range_not_satisfiable:
            if response.headers.get("Content-Range") == f"bytes */{begun_bytes}":
                bar.update(begun_bytes)
                return
            part.unlink()
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            begun_bytes = 0
        length = response.headers.get("Content-Length")
        if length:
            check_space(part.parent, int(length))
            bar.total = bar.total or begun_bytes + int(length)
        bar.update(begun_bytes)
        with open(part, "ab" if begun_bytes else "wb") as file:
            for chunk in response.iter_content(_CHUNK_BYTES):
                file.write(chunk)
                bar.update(len(chunk))
    # Old versions of urllib3 take a connection that ends early for the end of the file.
    if length and part.stat().st_size != begun_bytes + int(length):
        raise requests.ConnectionError("the connection ended before the file did")
