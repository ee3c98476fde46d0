"""Download of a corpus into a folder in its publisher's layout."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pooch
from tqdm import tqdm

from datasets.errors import CorpusError
from datasets.lists import Listed, read_list
from datasets.unpack import unpack
from emojax.corpora.listing import download_size
from emojax.corpora.spec import CorpusSpec, Download
from emojax.download import LIMIT_BYTES, DownloadError, download
from emojax.files import check_space

# File beside the corpora: SHA-256 of downloads for which no checksum is published.
_NOTED = "downloads.sha256"
# A list is read into memory; a list of 10,000 files has about 5 MB.
_LIST_LIMIT_BYTES = 20 * 10**6
_CONNECTIONS = 8


def check_fetchable(spec: CorpusSpec) -> None:
    """Raise a CorpusError that says where to ask for a corpus that cannot be downloaded."""
    if not spec.downloads:
        raise CorpusError(
            f"{spec.name}: cannot be fetched from here; ask for it at {spec.source} "
            f"(licence: {spec.licence})"
        )


def fetch(spec: CorpusSpec, folder: Path) -> None:
    """Download a corpus into a new folder, and print its licence.

    The download is stored in a hidden folder until it is complete. The next attempt keeps the
    complete files in it, unless the catalogue's entry has changed. An incomplete file begins anew.

    Raises:
      CorpusError: see :func:`check_fetchable`, :func:`emojax.download.download` and
        :func:`datasets.unpack.unpack`.
    """
    check_fetchable(spec)
    print(_terms(spec, folder), flush=True)
    scratch = folder.with_name(f".{folder.name}.download")
    work = scratch / hashlib.blake2b(repr(spec.downloads).encode(), digest_size=8).hexdigest()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        check_space(folder.parent, _missing_bytes(spec, work))
        work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=work) as unpacked:
            content = Path(unpacked) / "content"
            content.mkdir()
            for number, part in enumerate(spec.downloads):
                _fetch_one(part, work / str(number), content, folder.with_name(_NOTED))
            content.rename(folder)
        shutil.rmtree(scratch)
    except OSError as error:
        raise CorpusError(
            f"{spec.name}: {error}; mend that, and give the same command again"
        ) from None


def _terms(spec: CorpusSpec, folder: Path) -> str:
    return (
        f"{spec.name}: {spec.full_name}\n"
        f"  licence: {spec.licence}\n"
        f"  terms, which you accept by fetching it: {spec.source}\n"
        f"  cite: {spec.citation}\n"
        f"  fetching into {folder}: {download_size(spec)}"
    )


def _missing_bytes(spec: CorpusSpec, work: Path) -> int:
    """Return the disk space still needed for the archives and the unpacked corpus, if known."""
    needed = sum(2 * (part.bytes or 0) for part in spec.downloads)
    here = (path for pattern in ("*", "*.files/*") for path in work.glob(pattern) if path.is_file())
    return needed - sum(path.stat().st_size for path in here)


def _fetch_one(part: Download, file: Path, content: Path, notes: Path) -> None:
    """Download one address of a corpus, and add its files to the content."""
    try:
        if not part.lists:
            return _fetch_archive(part, file, content, notes)
        download(part.address, file, part.checksum, _LIST_LIMIT_BYTES)
        files = read_list(file, part)
    except CorpusError as error:
        file.unlink()
        raise CorpusError(
            f"{part.address}: {error}; it was removed, and the same command fetches it anew"
        ) from None
    _fetch_listed(files, file.with_suffix(".files"), content)


def _fetch_archive(part: Download, file: Path, content: Path, notes: Path) -> None:
    """Download and unpack an archive; compare it with the published or else the noted checksum."""
    checksum = part.checksum or _noted(notes).get(part.address, "")
    try:
        download(part.address, file, checksum, part.bytes or LIMIT_BYTES, progressbar=True)
    except DownloadError as error:
        if part.checksum or not checksum:
            raise
        raise DownloadError(
            f"{error} It had the known hash the first time: if its publisher says that the file "
            f"has changed, take its line out of {notes}"
        ) from None
    unpack(file, content, part.inside)
    if not checksum:
        _note(part.address, pooch.file_hash(file), notes)
    if not part.checksum:
        print(
            f"not verified, as no checksum is published: {part.address}; SHA-256 noted in {notes}"
        )


def _fetch_listed(files: list[Listed], folder: Path, content: Path) -> None:
    """Download the files of a list under their numbers, then copy them to their names."""
    missing = [file for number, file in enumerate(files) if not (folder / str(number)).exists()]
    check_space(content, sum(file.bytes for file in missing))

    def fetch(number: int) -> None:
        file = files[number]
        download(file.address, folder / str(number), file.checksum, file.bytes)

    # An exception, Ctrl-C too, ends the generator, which cancels downloads that have not begun.
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        for _ in tqdm(pool.map(fetch, range(len(files))), total=len(files), unit="file"):
            pass
    for number, file in enumerate(files):
        target = content / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(
            folder / str(number), target
        )  # Files of pooch are readable by their owner only.


def _note(address: str, sha256: str, notes: Path) -> None:
    with open(notes, "a", encoding="utf-8") as lines:
        lines.write(f"{sha256}  {address}\n")


def _noted(notes: Path) -> dict[str, str]:
    """Return address → SHA-256, read from lines in the format of sha256sum."""
    lines = notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
    return {
        address: f"sha256:{sha256}"
        for sha256, _, address in (line.partition("  ") for line in lines)
    }
