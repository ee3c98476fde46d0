"""Tables that are damaged, strange or hostile: each is read or is one CorpusError, soon."""

import time

import numpy as np
import pytest

from datasets import CorpusError
from datasets.base import Source
from datasets.manifest.table import columns_read, find_csvs, fingerprint, read_sources

TABLES_A_ROUND = 1500
# Of one table; generous, because tests run side by side.
_AT_MOST_S = 2.0
_HEADERS = [
    "file,label,speaker,split",
    "path,emotion,start,end",
    "Filename;Class;Onset (ms);Duration (ms)",
    "file\tlabel\tspeaker_id\tstart_time\tend_time",
    "\ufefffile, label, label",
    "file,label,path,emotion,offset,duration",
    '"file","label","note, more"',
    "label",
    "",
]
_CELLS = [
    *(
        "a.wav",
        "b/c.wav",
        "../x.wav",
        "/etc/passwd",
        "C:\\x.wav",
        "joy",
        "Joy",
        "sad",
        "nan",
        "",
        " ",
        "-",
        "0.5",
    ),
    *(
        "1e999",
        "-1",
        "0 days 00:00:01.5",
        "99999999999999999999 days",
        "00:00:01",
        "1:2:3:4",
        "NaT",
        "train",
    ),
    *(
        "\x00",
        "\x1b[2J",
        "\u202e",
        "\ud7ff",
        "mu\u0308de",
        '"',
        '"open',
        "x" * 200_000,
        "a,b",
        "a;b",
        "\u2028",
    ),
    *("9" * 5000, "=cmd()", "#t=1,2", "a.wav#t=1,2", "é", "1", "test"),
]
_ENDS = ["\n", "\r\n", "\r", "\n\n", "\x85", "\x0b"]
_ENCODINGS = [
    "utf-8",
    "utf-8",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "latin-1",
    "utf-7",
    "cp037",
]


def table(rng: np.random.Generator) -> bytes:
    """A table that may have nearly anything wrong with it."""
    header = str(rng.choice(_HEADERS))
    delimiter = (
        str(rng.choice([",", ";", "\t"])) if rng.random() < 0.2 else max(",;\t", key=header.count)
    )
    end = str(rng.choice(_ENDS))
    rows = [header]
    for _ in range(rng.integers(0, 12)):
        width = header.count(delimiter) + 1 + (rng.random() < 0.03)
        rows.append(delimiter.join(_CELLS[rng.integers(len(_CELLS))] for _ in range(width)))
    content = end.join(rows).encode(str(rng.choice(_ENCODINGS)), "replace")
    for _ in range(rng.integers(0, 4) * (rng.random() < 0.5)):
        place = int(rng.integers(0, len(content) + 1))
        content = (
            content[:place]
            + rng.bytes(int(rng.integers(0, 5)))
            + content[place + rng.integers(0, 3) :]
        )
    return content


def mutated(rng: np.random.Generator) -> bytes:
    """A table that is right, but for a few bytes."""
    rows = [f"{i}.wav,{'joy' if i % 2 else 'sad'},{i // 4},{i / 10},{i / 10 + 1}" for i in range(8)]
    content = bytearray("\n".join(["file,label,speaker,start,end", *rows, ""]).encode())
    for place in rng.integers(0, len(content), rng.integers(0, 3)):
        content[place] = rng.integers(0, 256)
    return bytes(content)


@pytest.mark.parametrize("make", [table, mutated])
def test_every_table_is_read_or_refused_in_one_line_and_soon(make, tmp_path, fuzz_rounds):
    read = refused = 0
    path = tmp_path / "labels.csv"
    for seed in range(TABLES_A_ROUND * fuzz_rounds // 2):
        path.write_bytes(make(np.random.default_rng(seed)))
        began = time.monotonic()
        try:
            csvs = find_csvs(tmp_path)
            sources = read_sources(csvs)
            said = columns_read(csvs)
            assert fingerprint(csvs)
        except CorpusError as error:
            sources, said = [], [str(error)]
        assert time.monotonic() - began < _AT_MOST_S, seed
        assert all(line.isprintable() and len(line) < 10_000 for line in said), (seed, said)
        read += bool(sources)
        refused += not sources
        check(sources, tmp_path)
    assert refused
    assert read or make is table


def check(sources: list[Source], root) -> None:
    """What is read is inside of its folder, named once, and has words that a person can see."""
    assert len({source.file for source in sources}) == len(sources)
    for source in sources:
        assert source.label
        assert source.label.isprintable()
        assert source.audio.is_relative_to(root)
        assert ".." not in source.audio.parts
