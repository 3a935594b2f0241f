"""What is deployed: a folder packed by the rules of .funcignore, as each of the two kinds of tool reads them."""

import re
from collections.abc import Callable

import pathspec  # mypy brings it
import pytest

from tests.web.app import ROOT

Packed = Callable[[str], bool]
RULES = (ROOT / ".funcignore").read_text(encoding="utf-8")
SHIPPED = [
    "function_app.py",
    "host.json",
    "requirements.txt",
    "replies.toml",
    "shared/__init__.py",
    "shared/settings.py",
    "shared/text/numbers.py",
    "shared/text/area_codes.txt",
    "flows/on-call.toml",
    "templates/one-time-code.txt",
    "examples/checked.py",
    # content and code of one's own, with names that begin as ignored ones do
    "environment.py",
    "environments/one.py",
    "localisation/de.py",
    "documents/terms.txt",
    "documents/terms.md",
    "testing.py",
    "benches.py",
    "flows/tests/one.toml",
    # packages that `func pack` or `publish --build local` put there
    ".python_packages/lib/site-packages/twilio/rest/__init__.py",
]
KEPT_BACK = [
    ".env",
    ".env.local",
    ".azure/prod/.env",
    ".azure/config.json",
    ".vscode/settings.json",
    ".vscode/launch.json",
    ".devcontainer/devcontainer.json",
    ".editorconfig",
    ".pre-commit-config.yaml",
    ".idea/workspace.xml",
    ".git/config",
    ".github/workflows/deploy.yml",
    ".github/ISSUE_TEMPLATE/bug.yml",
    ".ci/run",
    ".gitignore",
    ".venv/lib/python3.12/site-packages/jwt/__init__.py",
    ".venv-3.12/pyvenv.cfg",
    "venv/pyvenv.cfg",
    "env/pyvenv.cfg",
    "local.settings.json",
    "local.settings.json.example",
    "local.settings.json.bak",
    ".azurite/__azurite_db_table__.json",
    "__azurite_db_blob__.json",
    "__azurite_db_queue_extent__.json",
    "__blobstorage__/5b1c",
    "__queuestorage__/5b1c",
    "AzuriteConfig",
    ".switchboard/azurite-data/__azurite_db_table__.json",
    ".DS_Store",
    "flows/.DS_Store",
    "templates/.one-time-code.txt.swp",
    "tls.pem",
    "shared/tls.key",
    "shared/__pycache__/settings.cpython-312.pyc",
    "shared/text/__pycache__/numbers.cpython-312.pyc",
    "__pycache__/function_app.cpython-312.pyc",
    "node_modules/azurite/package.json",
    "docs/browser-phone/node_modules/a/package.json",
    "docs/explanation/sending-once.md",
    "bench/__main__.py",
    "infra/main.parameters.json",
    "local/host/host.py",
    "tests/test_settings.py",
    "azure.yaml",
    "dev.py",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "pyproject.toml",
    "requirements-bench.txt",
    "requirements-dev.txt",
    "requirements-lock.txt",
    "requirements-node.txt",
    "switchboard.zip",
    "azurite.log",
]


def core_tools() -> Packed:
    """Read the rules as Core Tools does: two expressions, each of the beginnings of paths.

    https://github.com/Azure/azure-functions-core-tools/blob/14e394dc8d1b9ee9ca93a27fab420c9ad49ee41f/src/Azure.Functions.Cli/Common/GitIgnoreParser.cs
    """
    lines = [line.strip() for line in RULES.split("\n") if line.strip() and not line.strip().startswith("#")]
    ignored = _beginnings([line for line in lines if not line.startswith("!")])
    taken = _beginnings([line[1:] for line in lines if line.startswith("!")])
    return lambda path: bool(taken.match(path)) or not ignored.match(path)


def _beginnings(patterns: list[str]) -> re.Pattern[str]:
    escaped = (re.sub(r"([-\[\]/{}()+?.\\^$|])", r"\\\1", pattern.removeprefix("/")) for pattern in patterns)
    stars = (pattern.replace("**", "(.+)").replace("*", r"([^\/]+)") for pattern in escaped)
    return re.compile("|".join(f"({pattern})" for pattern in stars))


def gitignore() -> Packed:
    """Read the rules as git does, and with it azd and VS Code."""
    spec = pathspec.GitIgnoreSpec.from_lines(RULES.splitlines())
    return lambda path: not spec.match_file(path)


@pytest.fixture(params=[core_tools, gitignore], ids=["Core Tools", "gitignore"])
def packed(request: pytest.FixtureRequest) -> Packed:
    """Whether a path is packed."""
    found: Packed = request.param()
    return found


@pytest.mark.parametrize("path", SHIPPED)
def test_what_the_app_needs_is_packed(packed: Packed, path: str) -> None:
    assert packed(path)


@pytest.mark.parametrize("path", KEPT_BACK)
def test_what_is_secret_or_only_a_laptops_is_not_packed(packed: Packed, path: str) -> None:
    assert not packed(path)


def test_every_module_of_the_app_is_packed(packed: Packed) -> None:
    modules = [path.relative_to(ROOT).as_posix() for path in (ROOT / "shared").rglob("*.py")]
    assert modules
    assert [path for path in modules if not packed(path)] == []
