"""Unpacking what strangers packed: plain files only, below one folder only, and never more than fits."""

from __future__ import annotations

import lzma
import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm import tqdm

from datasets.base import CorpusError
from datasets.transfer import check_space
from emojax.files import size_in_words

# Recordings shrink to a half at best; what shrinks to a fiftieth was made to fill a disk.
_MAX_RATIO = 50
# ValueError: names that are not in the encoding they say.
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError)
# One name is both a file and a folder.
_CONTRADICTORY = (FileExistsError, NotADirectoryError, IsADirectoryError)
# A password, or a compression that Python does not know.
_UNREADABLE = (RuntimeError, NotImplementedError)


def unpack(archive: Path, folder: Path, inside: str = "") -> None:
    """Unpack a zip archive; everything in it is checked before the first file is written.

    Args:
      archive: the file.
      folder: where to; files of the same names are overwritten.
      inside: the folder of the archive that is unpacked, without its own name; everything where empty.

    Raises:
      CorpusError: for a name that leads out of the folder, a link or a device, a name that comes twice, much
        more content than the archive can honestly hold or the disk has room for, and a damaged archive.
    """
    if not zipfile.is_zipfile(archive):
        raise CorpusError(f"{archive}: is no zip archive, but perhaps a page with a message")
    try:
        with zipfile.ZipFile(archive) as zipped:
            _extract(zipped, _checked(zipped.infolist(), archive, folder, inside), folder)
    except CorpusError:
        raise
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
    datasets.errors.CorpusError: the file name 'wav/../../x.wav' leads out of its folder, and is refused
    """
    # Windows knows every way out that other systems know, and more.
    path = PureWindowsPath(name)
    if path.drive or path.root or ".." in path.parts or not path.parts:
        raise CorpusError(f"the file name {name!r} leads out of its folder, and is refused")
    return PurePosixPath(name).as_posix()


def _checked(
    infos: Sequence[zipfile.ZipInfo], archive: Path, folder: Path, inside: str
) -> dict[str, zipfile.ZipInfo]:
    """Name below the folder → member."""
    prefix = f"{inside}/" if inside else ""
    members = [(_plain_name(info), info) for info in infos if not info.is_dir()]
    chosen = [(name.removeprefix(prefix), info) for name, info in members if name.startswith(prefix)]
    if not chosen:
        seen = ", ".join(sorted({name.split("/")[0] for name, _ in members})) or "nothing"
        raise CorpusError(f"{archive}: there is nothing in its folder {inside!r}; it holds {seen}")
    named = dict(chosen)
    if len(named) < len(chosen):
        raise CorpusError(f"{archive}: a file name comes twice; nothing was unpacked")
    size = sum(info.file_size for info in named.values())
    if size > _MAX_RATIO * archive.stat().st_size:
        raise CorpusError(
            f"{archive}: says that it unpacks to {size_in_words(size)}, more than {_MAX_RATIO} times its own "
            "size, which no recordings do; nothing was unpacked"
        )
    overwritten = [folder / name for name in named if (folder / name).is_file()]
    check_space(folder, size - sum(path.stat().st_size for path in overwritten))
    return named


def _plain_name(info: zipfile.ZipInfo) -> str:
    """The safe name of a member, which must be no link or device."""
    # Systems without Unix's file types leave the type out.
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise CorpusError(f"{info.filename!r} in the archive is a link or a device; nothing was unpacked")
    return safe_name(info.filename)


def _extract(zipped: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], folder: Path) -> None:
    size = sum(info.file_size for info in members.values())
    with tqdm(total=size, desc="unpacking", unit="B", unit_scale=True) as bar:
        for name, info in members.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with zipped.open(info) as packed, open(target, "wb") as file:
                shutil.copyfileobj(packed, file)
            bar.update(info.file_size)
