import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from local.environment import MADE_UP
from tests.documentation.pages import pages
from tests.end_to_end.stage import Stage, stage
from tests.web import app


@dataclass(frozen=True)
class Stand:
    """A running set, and the folder of its templates, flows and rules."""

    stage: Stage
    folder: Path


@pytest.fixture(scope="module")
async def stand(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """A set with the content of the tests, and with the files that the pages have the reader write."""
    folder = tmp_path_factory.mktemp("pasted") / "app"
    shutil.copytree(app.CONTENT, folder)
    for page in pages():
        for path, content in re.findall(r"^cat > (\S+) <<'END'\n(.*?)^END$", page.text, re.DOTALL | re.MULTILINE):
            (folder / path).write_text(content, "utf-8")
    with patch.object(app, "CONTENT", folder):
        async with stage(azurite, **MADE_UP) as running:
            yield Stand(running, folder)
