"""Download of a file: complete, within a size limit and with its checksum, or no file at all."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
from tqdm import tqdm

from emojax.files import check_space, printable

# Limit for files of unknown size; no known file comes near it.
LIMIT_BYTES = 20 * 10**9
_RETRIES = 2
_TIMEOUT_S = 30
_CHUNK_BYTES = 2**16

pooch.get_logger().setLevel(logging.WARNING)


class DownloadError(OSError):
    """Error for a failed download; the message has the address and the reason."""


def download(
    address: str,
    path: Path,
    checksum: str = "",
    limit_bytes: int = LIMIT_BYTES,
    progressbar: bool = False,
) -> None:
    """Download a file unless it exists with its checksum; an interrupted download starts again.

    Args:
      address: URL of the file.
      path: destination; only a complete and correct file is written there.
      checksum: ``ALGORITHM:HEX`` with a name of hashlib, or empty if unknown.
      limit_bytes: maximum size, whatever the server says.
      progressbar: show a progress bar.

    Raises:
      DownloadError: the server does not respond, or the file is too large or another one.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files = pooch.create(
            path.parent,
            base_url="",
            registry={path.name: checksum or None},
            urls={path.name: address},
            retry_if_failed=_RETRIES,
        )
        files.fetch(path.name, downloader=_Downloader(limit_bytes, progressbar))
    except (
        OSError,
        ValueError,
    ) as error:  # requests lets ValueErrors through for addresses that are none
        raise DownloadError(printable(f"{address}: cannot be fetched: {error}")) from None


class _RefusedError(OSError):
    """Error that another attempt cannot fix; pooch tries again after other errors."""


class _Downloader(pooch.HTTPDownloader):
    """Pooch's downloader with checks for untrusted servers."""

    def __init__(self, limit_bytes: int, progressbar: bool):
        super().__init__(
            chunk_size=_CHUNK_BYTES,
            timeout=_TIMEOUT_S,
            headers={"Accept-Encoding": "identity"},
            hooks={"response": self._check},
        )
        self._limit_bytes, self._is_shown = limit_bytes, progressbar

    def __call__(self, url, output_file, pooch, check_only=False):
        """Write the response of a URL to a file; pooch calls this."""
        self._scheme, self._folder = urlsplit(url).scheme, Path(output_file).parent
        with (
            tqdm(unit="B", unit_scale=True, disable=not self._is_shown) as self._bar,
            _BoundedFile(output_file, self._limit_bytes, self._bar) as file,
        ):
            super().__call__(url, file, pooch)

    def _check(self, response: requests.Response, **_) -> None:
        """Refuse a response before its content is read."""
        if urlsplit(response.url).scheme not in (self._scheme, "https"):
            raise _RefusedError(f"it leads to {response.url}, which is not encrypted")
        if response.is_redirect:
            response.close()  # else requests would read all of its content into memory
        elif (
            response.status_code != requests.codes.too_many_requests and response.status_code < 500
        ):
            self._check_content(response)

    def _check_content(self, response: requests.Response) -> None:
        if response.status_code != requests.codes.ok:
            raise _RefusedError(f"the server answers {response.status_code} {response.reason}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise _RefusedError("the server sends it compressed, though it was asked not to")
        length = response.headers.get("Content-Length", "0")
        if not length.isdecimal():
            raise _RefusedError(f"the server says that it has {length!r} bytes")
        _check_size(int(length), self._limit_bytes)
        check_space(self._folder, int(length))
        self._bar.total = int(length) or None


class _BoundedFile(io.BufferedWriter):
    """File that refuses to grow beyond a limit, and shows its progress."""

    def __init__(self, path: str, limit_bytes: int, bar: tqdm):
        super().__init__(io.FileIO(path, "w"))
        self._limit_bytes, self._bar = limit_bytes, bar

    def write(self, content) -> int:
        """Write all of the content, or raise an error and write nothing."""
        _check_size(self.tell() + len(content), self._limit_bytes)
        self._bar.update(len(content))
        return super().write(content)


def _check_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise _RefusedError(f"it is larger than the {limit_bytes} bytes that are expected")
