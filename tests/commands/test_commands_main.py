import subprocess
import sys

import pytest

from emojax.commands.__main__ import COMMANDS, main


def test_help_lists_every_command_and_imports_nothing_slow():
    code = (
        "import sys\nfrom emojax.commands.__main__ import make_parser\n"
        "make_parser().print_help()\n"
        "print([name for name in ('jax', 'flax', 'librosa') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert all(name in printed for name in COMMANDS)
    assert printed.endswith("[]\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_its_help(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: emojax {name}")
