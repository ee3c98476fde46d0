"""Damaged or forged archives, lists and weights: read or refused in bounded memory and time.

Longer: ``pytest tests/fuzz/test_fuzz_archives.py --fuzz-rounds=100``.
"""

import contextlib
import hashlib
import io
import json
import random
import shutil
import time
import tracemalloc
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest

from datasets import CorpusError
from datasets.lists import read_list
from datasets.unpack import unpack
from emojax.baselines.weights import read_tensors
from emojax.corpora.spec import Download
from tests.baselines import conftest as weights_files

CASES = 300
MAX_PEAK_BYTES = 10**8
MAX_S = 5
# What formats give a meaning: ways out of a folder, signatures, extreme numbers.
PIECES = (
    *(
        b"../",
        b"/",
        b"\\",
        b"C:",
        b"\0",
        b"\x1b[2J",
        b".part",
        b"%2e%2e/",
        b"PK\1\2",
        b"PK\3\4",
        b"PK\5\6",
    ),
    *(
        b"PK\6\6",
        b"\x80\x02",
        b"}",
        b"]",
        b"b",
        b"R",
        b"r",
        b"q",
        b"\x93",
        b"-1",
        b"1e999",
        b"[[[[",
        b"null",
    ),
    *(
        b"\xff" * 4,
        b"\xff" * 8,
        b"\xff\xff\xff\x7f",
        b"\0" * 4,
        b"\0" * 8,
        (2**31).to_bytes(8, "little"),
    ),
)


def damaged(dice: random.Random, content: bytes) -> bytes:
    """Some content with a few bits, bytes or pieces changed, taken away, moved or repeated."""
    content = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        at = dice.randrange(len(content) + 1)
        until = at + dice.choice((0, 1, 4, 8, 30))
        match dice.randrange(5):
            case 0:
                content[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                piece = dice.choice(PIECES)
                content[at : at + dice.choice((0, len(piece)))] = piece
            case 2:
                del content[at:until]
            case 3:
                content[at:at] = content[at:until] * dice.choice((1, 50))
            case 4 if dice.random() < 0.2:
                del content[at:]
    return bytes(content)


@contextlib.contextmanager
def bounded():
    """Fails where what is within takes much memory or time."""
    tracemalloc.start()
    begun_s = time.perf_counter()
    try:
        yield
    finally:
        took_s, peak_bytes = time.perf_counter() - begun_s, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak_bytes < MAX_PEAK_BYTES
    assert took_s < MAX_S


def outcome(error: type[Exception], action, *arguments) -> str:
    """Return ``read``, or ``refused`` if the expected error has one printable line."""
    message = ""
    with bounded():
        try:
            action(*arguments)
        except error as found:
            message = str(found)
    assert message.isprintable()
    return "refused" if message else "read"


def zipped(members, *, packed=zipfile.ZIP_DEFLATED, comment=b"", streamed=False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packed) as archive:
        archive.comment = comment
        for name, content in members:
            with archive.open(name, "w", force_zip64=streamed) as member:
                member.write(content)
    return buffer.getvalue()


def unpack_below(folder, content: bytes) -> None:
    """Unpack an archive three folders down, and see that nothing was written elsewhere."""
    shutil.rmtree(folder, ignore_errors=True)
    inner = folder / "a/b/content"
    inner.mkdir(parents=True)
    archive = folder / "archive"
    archive.write_bytes(content)
    try:
        unpack(archive, inner)
    finally:
        files = [path for path in folder.rglob("*") if path != archive and not path.is_dir()]
        assert all(path.is_relative_to(inner) and not path.is_symlink() for path in files)
        assert not any(ord(letter) < 32 for path in files for letter in path.name)
        assert sum(path.stat().st_size for path in files) <= 50 * len(content)


def test_damaged_archives(fuzz_rounds, tmp_path):
    dice = random.Random(0)
    members = [
        ("wav/a.wav", bytes(range(256)) * 9),
        ("wav/é.wav", dice.randbytes(99)),
        ("notes.txt", b"x"),
    ]
    seeds = [
        zipped(members),
        zipped(members, packed=zipfile.ZIP_STORED, comment=b"a comment"),
        zipped(members, streamed=True),
        zipped([*members, ("wav/deep/er/b.wav", b"")]),
    ]
    for seed in seeds:
        unpack_below(tmp_path, seed)
    found = Counter(
        outcome(CorpusError, unpack_below, tmp_path / "x", damaged(dice, dice.choice(seeds)))
        for _ in range(CASES * fuzz_rounds)
    )
    assert found["refused"] > found["read"] / 20 > 0


def test_archives_with_forged_names(fuzz_rounds, tmp_path):
    dice = random.Random(1)
    parts = (
        "..",
        ".",
        "",
        "a",
        "a",
        "b",
        "b.wav",
        "C:",
        "\\",
        "\x07",
        "é",
        "\u2028",
        "x" * 300,
        "~",
        "con",
    )

    def forged() -> bytes:
        names = {"/".join(dice.choices(parts, k=dice.choice((1, 2, 3, 90)))) for _ in range(3)}
        return zipped([(name, b"1") for name in names if name and not name.endswith("/")])

    found = Counter(
        outcome(CorpusError, unpack_below, tmp_path / "x", forged())
        for _ in range(CASES * fuzz_rounds)
    )
    assert found["refused"] > found["read"] > 0


def test_damaged_lists(fuzz_rounds, tmp_path):
    dice = random.Random(2)
    sha256 = hashlib.sha256(b"").hexdigest()
    checksum = {"type": "SHA-256", "value": sha256}
    entries = [
        {
            "directoryLabel": "b",
            "dataFile": {"id": i, "filename": f"{i}.wav", "filesize": i, "checksum": checksum},
        }
        for i in range(4)
    ]
    seeds = {
        "tfds": "".join(f"https://example.org/b/{i}.wav {i} {sha256} {i}.wav\n" for i in range(4)),
        "dataverse": json.dumps({"data": {"latestVersion": {"files": entries}}}),
    }
    path = tmp_path / "list"

    def read(lists: str, text: bytes) -> None:
        path.write_bytes(text)
        files = read_list(path, Download("https://example.org/list", lists=lists))
        assert len({file.name for file in files}) == len(files)
        assert not any(".." in file.name.split("/") or file.name.startswith("/") for file in files)
        assert all(file.bytes >= 0 and ":" in file.checksum for file in files)

    for lists, text in seeds.items():
        read(lists, text.encode())
        found = Counter(
            outcome(CorpusError, read, lists, damaged(dice, text.encode()))
            for _ in range(CASES * fuzz_rounds)
        )
        assert min(found["refused"], found["read"]) > 0


@pytest.fixture
def read_weights(tmp_path):
    """Read weights, which are never more than the file has, or than packing can hide in it."""

    def read(content: bytes) -> None:
        (tmp_path / "weights").write_bytes(content)
        _, tensors = read_tensors(tmp_path / "weights")
        assert all(isinstance(tensor, np.ndarray) for tensor in tensors.values())

    return read


@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_damaged_weights_of_pytorch(fuzz_rounds, tmp_path, read_weights, form):
    dice = random.Random(3)
    arrays = {f"layer.{i}.weight": np.ones((2, 3), np.float32) for i in range(5)}
    getattr(weights_files, f"write_{form}")(tmp_path / "seed", weights_files.state_dict(arrays))
    seed = (tmp_path / "seed").read_bytes()
    found = Counter(
        outcome(ValueError, read_weights, damaged(dice, seed)) for _ in range(CASES * fuzz_rounds)
    )
    assert found["refused"] > found["read"] / 20


def test_damaged_pickles_in_whole_archives(fuzz_rounds, read_weights):
    dice = random.Random(4)
    state = weights_files.state_dict(
        OrderedDict(a=np.ones(4, np.float32), b=np.ones((2, 2), np.float32))
    )
    pickled = weights_files.pickled(state)
    data = [(f"archive/data/{key}", bytes(16)) for key in "01"]

    def forged(index: bytes) -> bytes:
        return zipped([("archive/data.pkl", index), *data], packed=zipfile.ZIP_STORED)

    assert outcome(ValueError, read_weights, forged(pickled)) == "read"
    found = Counter(
        outcome(ValueError, read_weights, forged(damaged(dice, pickled)))
        for _ in range(CASES * fuzz_rounds)
    )
    assert min(found["refused"], found["read"]) > 0


def test_damaged_weights_of_keras(fuzz_rounds, tmp_path, read_weights):
    h5py = pytest.importorskip("h5py")
    dice = random.Random(5)
    seeds = []
    for libver in ("earliest", "latest"):
        with h5py.File(tmp_path / libver, "w", libver=libver) as file:
            file["conv/kernel"], file["conv/bias"] = (
                np.ones((3, 3), np.float32),
                np.ones(3, np.float32),
            )
            file.create_dataset(
                "packed", data=np.ones((20, 20), "f4"), chunks=(5, 5), compression="gzip"
            )
        seeds.append((tmp_path / libver).read_bytes())
    found = Counter(
        outcome(ValueError, read_weights, damaged(dice, dice.choice(seeds)))
        for _ in range(CASES * fuzz_rounds)
    )
    assert min(found["refused"], found["read"]) > 0
