"""Reading an element: its text, and its attributes with their defaults. What is wrong in them is in schema.py."""

from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from local.twilio.twiml.document import Source


def text(element: ET.Element) -> str:
    """The text of an element and all within it, with single spaces."""
    return " ".join("".join(element.itertext()).split())


def own_text(element: ET.Element) -> str:
    """The text of an element without that of its children."""
    return " ".join(part for part in [element.text, *(child.tail for child in element)] if part).strip()


def whole(element: ET.Element, name: str, *, default: int) -> int:
    """A whole number; the default where it is absent or none."""
    given = (element.get(name) or "").strip()
    return int(given) if given.isascii() and given.isdecimal() else default


def yes(element: ET.Element, name: str, *, default: bool = False) -> bool:
    """A yes or no; the default where it is neither."""
    return {"true": True, "false": False}.get((element.get(name) or "").strip().lower(), default)


def method(element: ET.Element, name: str = "method") -> str:
    """GET where it is asked for, else POST."""
    return "GET" if (element.get(name) or "").upper() == "GET" else "POST"


def names(element: ET.Element, name: str, *, default: str) -> frozenset[str]:
    """Words with spaces between; the default where there are none."""
    return frozenset((element.get(name) or "").split() or default.split())


def source(element: ET.Element, name: str, *, base: str | None, method_name: str = "method") -> Source | None:
    """The URL in an attribute, relative to the document's; None where it is absent or empty."""
    given = (element.get(name) or "").strip()
    return Source(url=urljoin(base or "", given), method=method(element, method_name)) if given else None


def action(element: ET.Element, *, base: str | None) -> Source:
    """Where Gather and Record go on: at their action, or at the document that they stand in."""
    return source(element, "action", base=base) or Source(url=base or "", method=method(element))
