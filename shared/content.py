"""How much of an app's own content was found beside function_app.py."""

from collections.abc import Iterable, Mapping
from pathlib import Path


def found(folder: Path, loaded: Mapping[str, Iterable[object]]) -> dict[str, int | None]:
    """Return how many parts each file or folder of content gave; None where there is no such file or folder.

    An app without content is a good app. One whose content was left out of the deployment looks just the same.
    """
    return {name: sum(1 for _ in parts) if (folder / name).exists() else None for name, parts in loaded.items()}
