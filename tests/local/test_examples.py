"""The help of each command has examples, and each of them is a command."""

import contextlib
import io
import shlex

import pytest

import bench.__main__ as measuring
import dev
from local import __main__ as console

PREFIX = "  python3 dev.py "
OWN = ("test", "install", "lock")


def shown(command: str) -> str:
    """The help of a command, whoever reads its options."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), pytest.raises(SystemExit, match="0"):
        parse([command, "--help"])
    return output.getvalue()


def parse(arguments: list[str]) -> None:
    if arguments[0] == "bench":
        measuring.main(["--check", *arguments[1:]])
    elif arguments[0] in OWN:
        dev.parser().parse_known_args(arguments)
    else:
        console.parser().parse_args(arguments)


@pytest.mark.parametrize("command", [*dev.LOCAL_COMMANDS, "bench", *OWN])
def test_the_help_of_a_command_has_examples_that_it_takes(command: str) -> None:
    lines = shown(command).partition("\nexamples:\n")[2].splitlines()
    examples = [shlex.split(line.removeprefix(PREFIX)) for line in lines if line.startswith(PREFIX)]
    assert examples
    assert len(examples) == len([line for line in lines if line])
    for example in examples:
        assert example[0] == command
        parse(example)


def test_dev_py_names_every_command_that_local_has() -> None:
    listed = console.parser().format_help()
    assert set(dev.LOCAL_COMMANDS) == set(console._COMMANDS)
    assert all(name in listed for name in dev.LOCAL_COMMANDS)
