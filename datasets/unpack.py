"""Unpacking what strangers packed: plain files only, below one folder only, and never more than fits."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, cast

from tqdm import tqdm

from datasets.base import CorpusError
from datasets.transfer import check_space
from emojax.files import size_in_words

# Recordings shrink to a half at best; what shrinks to a fiftieth was made to fill a disk.
_MAX_RATIO = 50
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError)
# One name is both a file and a folder.
_CONTRADICTORY = (FileExistsError, NotADirectoryError, IsADirectoryError)
# A password, or a compression that Python does not know.
_UNREADABLE = (RuntimeError, NotImplementedError)


@dataclasses.dataclass(frozen=True)
class _Member:
    """A plain file of an archive, of ``size`` bytes."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path, inside: str = "") -> None:
    """Unpack a zip or tar archive; everything in it is checked before the first file is written.

    Args:
      archive: the file; what it is shows in its content.
      folder: where to; files of the same names are overwritten.
      inside: the folder of the archive that is unpacked, without its own name; everything where empty.

    Raises:
      CorpusError: for a name that leads out of the folder, a link or a device, a name that comes twice, much
        more content than the archive can honestly hold or the disk has room for, and a damaged archive.
    """
    try:
        with _members(archive) as members:
            _extract(_checked(members, archive, folder, inside), folder)
    except (*_DAMAGED, *_CONTRADICTORY) as error:
        raise CorpusError(f"{archive}: the archive is damaged: {error}") from None
    except _UNREADABLE as error:
        raise CorpusError(f"{archive}: cannot be unpacked: {error}") from None


def safe_name(name: str) -> str:
    """The plain form of a name, or a CorpusError where it leads out of its folder, on any system.

    >>> safe_name("./Actor_01//03-01-05-01-02-01-01.wav")
    'Actor_01/03-01-05-01-02-01-01.wav'
    >>> safe_name("wav/../../x.wav")
    Traceback (most recent call last):
    ...
    datasets.base.CorpusError: the file name 'wav/../../x.wav' leads out of its folder, and is refused
    """
    # Windows knows every way out that other systems know, and more.
    path = PureWindowsPath(name)
    if path.drive or path.root or ".." in path.parts or not path.parts:
        raise CorpusError(f"the file name {name!r} leads out of its folder, and is refused")
    return PurePosixPath(name).as_posix()


@contextlib.contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield [
                _member(info.filename, info.file_size, _is_plain(info), functools.partial(zipped.open, info))
                for info in zipped.infolist()
                if not info.is_dir()
            ]
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tarred:
            yield [
                _member(info.name, info.size, info.isreg(), functools.partial(tarred.extractfile, info))
                for info in tarred
                if not info.isdir()
            ]
    else:
        raise CorpusError(f"{archive}: is neither a zip nor a tar archive, but perhaps a page with a message")


def _is_plain(info: zipfile.ZipInfo) -> bool:
    """Whether it is no link or device; systems without Unix's file types leave the type out."""
    return stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)


def _member(name: str, size: int, is_plain: bool, reader: Callable[[], IO[bytes] | None]) -> _Member:
    if not is_plain:
        raise CorpusError(f"{name!r} in the archive is a link or a device; nothing was unpacked")
    return _Member(safe_name(name), size, cast(Callable[[], IO[bytes]], reader))


def _checked(members: list[_Member], archive: Path, folder: Path, inside: str) -> dict[str, _Member]:
    """Name below the folder → member."""
    prefix = f"{inside}/" if inside else ""
    chosen = [member for member in members if member.name.startswith(prefix)]
    if not chosen:
        seen = ", ".join(sorted({member.name.split("/")[0] for member in members})) or "nothing"
        raise CorpusError(f"{archive}: there is nothing in its folder {inside!r}; it holds {seen}")
    named = {member.name.removeprefix(prefix): member for member in chosen}
    if len(named) < len(chosen):
        raise CorpusError(f"{archive}: a file name comes twice; nothing was unpacked")
    size = sum(member.size for member in chosen)
    if size > _MAX_RATIO * archive.stat().st_size:
        raise CorpusError(
            f"{archive}: says that it unpacks to {size_in_words(size)}, more than {_MAX_RATIO} times its own "
            "size, which no recordings do; nothing was unpacked"
        )
    check_space(folder, size)
    return named


def _extract(members: dict[str, _Member], folder: Path) -> None:
    size = sum(member.size for member in members.values())
    with tqdm(total=size, desc="unpacking", unit="B", unit_scale=True) as bar:
        for name, member in members.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with member.open() as packed, open(target, "wb") as file:
                shutil.copyfileobj(packed, file)
            bar.update(member.size)
