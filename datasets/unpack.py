"""Safe unpacking of untrusted archives: plain files inside one folder, of bounded size."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm import tqdm

from datasets.errors import CorpusError
from emojax.archives import ArchiveError, open_zip, read_chunks
from emojax.files import check_space, size_in_words

# Zip compresses recordings to a half at best; a ratio of 50 is a zip bomb.
_MAX_RATIO = 50
MAX_FILES = 100_000
_MAX_NAME_BYTES = 255
# Control characters, line breaks and lone surrogates, which file systems refuse.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def unpack(archive: Path, folder: Path, inside: str = "") -> None:
    """Unpack a zip archive, after a check of all its entries.

    Args:
      archive: path of the archive.
      folder: target folder.
      inside: folder of the archive whose content is unpacked; empty for everything.

    Raises:
      CorpusError: a name that :func:`safe_names` refuses, a link or a device, too many files, a
        content far too large for the archive, or a damaged archive.
      OSError: not enough disk space.
    """
    try:
        with open_zip(archive) as zipped:
            members = _checked(zipped.infolist(), inside)
            size = sum(info.file_size for info in members.values())
            if size > _MAX_RATIO * archive.stat().st_size:
                raise CorpusError(
                    f"it says that it unpacks to {size_in_words(size)}, more than {_MAX_RATIO} "
                    "times its own size, which no recordings do"
                )
            check_space(folder.parent, size)
            _extract(zipped, members, folder)
    except ArchiveError as error:
        raise CorpusError(str(error)) from None


def safe_names(names: Iterable[str]) -> list[str]:
    """Return normalised names of files that share a folder.

    Raises:
      CorpusError: a name leads out of its folder on any system, is too long, has control
        characters, occurs twice, or is both a file and a folder.

    >>> safe_names(["./Actor_01//03-01-05-01-02-01-01.wav"])
    ['Actor_01/03-01-05-01-02-01-01.wav']
    >>> safe_names(["wav/../../x.wav"])
    Traceback (most recent call last):
    ...
    datasets.errors.CorpusError: the file name 'wav/../../x.wav' leads out of its folder, and is
    refused
    """
    plain = [_safe_name(name) for name in names]
    if len(plain) > MAX_FILES:
        raise CorpusError(f"there are {len(plain)} files, and no corpus has more than {MAX_FILES}")
    seen: set[str] = set()
    for name in plain:
        if name in seen:
            raise CorpusError(f"the file name {name!r} comes twice")
        seen.add(name)
    folders = {parent.as_posix() for name in plain for parent in PurePosixPath(name).parents}
    if both := sorted(folders & seen):
        raise CorpusError(f"{both[0]!r} is both a file and a folder")
    return plain


def _safe_name(name: str) -> str:
    if _UNFIT.search(name) or len(name.encode()) > _MAX_NAME_BYTES:
        raise CorpusError(
            f"the file name {name[:_MAX_NAME_BYTES]!r} is longer than {_MAX_NAME_BYTES} bytes or "
            "has control characters, and is refused"
        )
    # Windows paths include every way out of a folder that other systems have.
    path = PureWindowsPath(name)
    if path.drive or path.root or ".." in path.parts or not path.parts:
        raise CorpusError(f"the file name {name!r} leads out of its folder, and is refused")
    return PurePosixPath(name).as_posix()


def _checked(infos: Sequence[zipfile.ZipInfo], inside: str) -> dict[str, zipfile.ZipInfo]:
    """Return name below the folder → member of the archive."""
    files = [info for info in infos if not info.is_dir()]
    for info in files:
        # The type is 0 in archives from systems without Unix file types.
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise CorpusError(f"{info.filename!r} in it is a link or a device")
    prefix = f"{inside}/" if inside else ""
    members = dict(zip(safe_names(info.filename for info in files), files, strict=True))
    chosen = {
        name.removeprefix(prefix): info for name, info in members.items() if name.startswith(prefix)
    }
    if not chosen:
        seen = ", ".join(sorted({repr(name.split("/")[0]) for name in members})[:8]) or "nothing"
        raise CorpusError(f"there is nothing in its folder {inside!r}; it holds {seen}")
    return chosen


def _extract(zipped: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], folder: Path) -> None:
    size = sum(info.file_size for info in members.values())
    with tqdm(total=size, desc="unpacking", unit="B", unit_scale=True) as bar:
        for name, info in members.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "wb") as file:
                for chunk in read_chunks(zipped, info):
                    file.write(chunk)
                    bar.update(len(chunk))
