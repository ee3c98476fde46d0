"""A corpus from its publisher's address to a folder in its publisher's layout."""

from __future__ import annotations

import functools
import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from tqdm import tqdm

from datasets.base import CorpusError
from datasets.lists import Listed, read_list
from datasets.transfer import NoSpaceError, check_space, digest, new_session, transfer
from datasets.unpack import unpack
from emojax.corpora.listing import download_size
from emojax.corpora.spec import CorpusSpec, Download

# Beside the corpora: the SHA-256 of what was fetched where no checksum is published.
_NOTED = "downloads.sha256"
_CONNECTIONS = 8


def check_fetchable(spec: CorpusSpec) -> None:
    """A CorpusError that says where to ask for a corpus that cannot be fetched from here."""
    if not spec.downloads:
        raise CorpusError(
            f"{spec.name}: cannot be fetched from here; ask for it at {spec.source} (licence: {spec.licence})"
        )


def fetch(spec: CorpusSpec, folder: Path) -> None:
    """Fetch a corpus into a folder that is not there yet, and say under which licence.

    Until it is whole it lies in a hidden folder beside its own, from where the next attempt goes on, unless
    the catalogue says by then that it is to be had otherwise.

    Raises:
      CorpusError: see :func:`check_fetchable`, :func:`datasets.transfer.transfer` and
        :func:`datasets.unpack.unpack`.
    """
    check_fetchable(spec)
    print(_terms(spec, folder), flush=True)
    scratch = folder.with_name(f".{folder.name}.download")
    work = scratch / hashlib.blake2b(repr(spec.downloads).encode(), digest_size=8).hexdigest()
    content = work / "content"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        check_space(folder.parent, _missing_bytes(spec, work))
        content.mkdir(parents=True, exist_ok=True)
        with new_session() as session:
            for number, download in enumerate(spec.downloads):
                _fetch_one(session, spec.name, download, work / str(number), content)
        content.rename(folder)
        shutil.rmtree(scratch)
    except OSError as error:
        raise CorpusError(f"{spec.name}: {error}; mend that, and the same command goes on there") from None


def _terms(spec: CorpusSpec, folder: Path) -> str:
    return (
        f"{spec.name}: {spec.full_name}\n"
        f"  licence: {spec.licence}\n"
        f"  terms, which you accept by fetching it: {spec.source}\n"
        f"  cite: {spec.citation}\n"
        f"  fetching into {folder}: {download_size(spec)}"
    )


def _missing_bytes(spec: CorpusSpec, work: Path) -> int:
    """What at least has still to come: an archive lies beside its content for a while."""
    needed = sum((download.bytes or 0) * (1 if download.lists else 2) for download in spec.downloads)
    return needed - sum(path.stat().st_size for path in work.rglob("*") if path.is_file())


def _fetch_one(session: requests.Session, corpus: str, download: Download, file: Path, content: Path) -> None:
    """Fetch one address of a corpus, and add to the content what it holds."""
    with _bar(corpus, None if download.lists else download.bytes) as bar:
        transfer(session, download.address, file, download.checksum, bar)
    try:
        if download.lists:
            files = read_list(file, download)
        else:
            files = []
            _unpack_checked(download, file, content)
    except NoSpaceError:
        raise
    except CorpusError:
        file.unlink()
        shutil.rmtree(content)  # the archives that are right are unpacked again
        raise
    _fetch_listed(session, corpus, files, content)


def _unpack_checked(download: Download, archive: Path, content: Path) -> None:
    """Unpack an archive; where nobody publishes its checksum, only if it is the one that came first."""
    notes = content.parents[2] / _NOTED
    if not download.checksum:
        _compare_with_noted(download.address, archive, notes)
    unpack(archive, content, download.inside)
    if not download.checksum:
        _note(download.address, archive, notes)


def _fetch_listed(session: requests.Session, corpus: str, files: list[Listed], content: Path) -> None:
    if not files:
        return
    check_space(content, sum(file.bytes for file in files if not (content / file.name).exists()))
    with _bar(corpus, sum(file.bytes for file in files)) as bar:
        one = functools.partial(_fetch_listed_one, session, content)
        # An exception, Ctrl-C too, ends the generator, which cancels what has not begun.
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            for file in pool.map(one, files):
                bar.update(file.bytes)


def _fetch_listed_one(session: requests.Session, content: Path, file: Listed) -> Listed:
    with tqdm(disable=True) as silent:
        transfer(session, file.address, content / file.name, file.checksum, silent)
    return file


def _compare_with_noted(address: str, file: Path, notes: Path) -> None:
    """Trust the first download of an address whose publisher gives no checksum, and no other after it."""
    found = digest(file, "sha256")
    first = _noted(notes).get(address, found)
    if first != found:
        raise CorpusError(
            f"{address}: SHA-256 is {found}, and it was {first} the first time ({notes}), so the publisher "
            "has changed the file, or somebody else has; it was removed. Ask the publisher; if the new file "
            "is right, take that line out, and try again"
        )


def _note(address: str, file: Path, notes: Path) -> None:
    if address not in _noted(notes):
        with open(notes, "a", encoding="utf-8") as lines:
            lines.write(f"{digest(file, 'sha256')}  {address}\n")
    print(f"not verified, as no checksum is published: {address}; SHA-256 noted in {notes}", flush=True)


def _noted(notes: Path) -> dict[str, str]:
    """Address → SHA-256, from lines as sha256sum writes them."""
    lines = notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
    return {address: checksum for checksum, _, address in (line.partition("  ") for line in lines)}


def _bar(corpus: str, total: int | None) -> tqdm:
    return tqdm(desc=corpus, total=total, unit="B", unit_scale=True)
