"""The notebooks are short, without functions and outputs, and equal to their scripts."""

from pathlib import Path

import jupytext
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook_path(request):
    return request.param


def cells(path):
    return [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]


def test_a_notebook_has_the_cells_of_its_script(notebook_path):
    assert cells(notebook_path) == cells(notebook_path.with_suffix(".py"))


def test_a_notebook_is_short_and_defines_nothing(notebook_path):
    assert len(cells(notebook_path)) <= 15
    lines = notebook_path.with_suffix(".py").read_text(encoding="utf-8").splitlines()
    assert not any(line.lstrip().startswith(("def ", "class ")) for line in lines)


def test_a_notebook_has_no_outputs(notebook_path):
    code = [cell for cell in jupytext.read(notebook_path).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


def test_a_notebook_opens_in_colab(notebook_path):
    assert "colab.research.google.com/github/" in cells(notebook_path)[0][1]
