"""JSON objects from outside, checked against a struct: all of their faults, not just the first. Pure."""

import functools
import re
from collections.abc import Iterable
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import msgspec

from shared.errors import Fault, RequestInvalid, shown_field

BYTES_OF_A_CHARACTER: Final = 4
"""at most, in UTF-8: https://www.rfc-editor.org/rfc/rfc3629#section-3"""
_DEEPEST: Final = 100
"""arrays and objects inside of each other; Python's own limit depends on who calls"""
_MALFORMED: Final = "JSON is malformed: "
_TOO_DEEP: Final = "expected a JSON object, got one that is nested too deep"
_A_TIME: Final = "2026-01-31T09:30:00+01:00"
_FORMS: Final = {
    "by": "1 to 100 characters, not all of them spaces, without control characters",
    "id": "a letter or digit, then up to 99 more letters, digits and ._:- characters, not shaped like a Twilio SID",
    "identity": "1 to 64 letters, digits and underscores",
}
"""what a field's regular expression says, in words"""
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`((?: - at `\$.*`)?)", re.DOTALL)
_INSIDE: Final = " - at `$"
"""what msgspec puts before the place inside of a field"""
_S = TypeVar("_S", bound=msgspec.Struct)


def read_document(content: bytes, struct: type[_S], *, longest: int) -> _S:
    """Read a JSON object of at most `longest` characters as a struct.

    Raises:
        RequestInvalid: it is none, or its fields are not those of the struct; every fault is named.
    """
    return convert(parse_object(content, longest=longest), struct)


def parse_object(content: bytes, *, longest: int) -> dict[str, Any]:
    """Parse a JSON object of at most `longest` characters.

    A text with more bytes than so many characters can have is not decoded.

    Raises:
        RequestInvalid: it is none; the fault says what came, and nothing of what it holds.
    """
    if len(content) > BYTES_OF_A_CHARACTER * longest:
        raise _unusable(f"expected at most {longest} characters, got {len(content)} bytes")
    try:
        characters = len(content.decode())
    except UnicodeDecodeError as exc:
        raise _unusable("expected UTF-8 text, got bytes that are none") from exc
    if characters > longest:
        raise _unusable(f"expected at most {longest} characters, got {characters}")
    try:
        document = msgspec.json.decode(content)
    except RecursionError as exc:
        raise _unusable(_TOO_DEEP) from exc
    except msgspec.DecodeError as exc:
        raise _unusable(f"expected a JSON object, got no JSON: {str(exc).removeprefix(_MALFORMED)}") from exc
    if not isinstance(document, dict):
        raise _unusable(f"expected a JSON object, got {_kind(document)}")
    if _is_deeper(document, _DEEPEST):
        raise _unusable(_TOO_DEEP)
    return document


def convert(document: dict[str, Any], struct: type[_S]) -> _S:
    """Read a parsed object as a struct.

    Raises:
        RequestInvalid: its fields are not those of the struct; every fault is named.
    """
    fields, faults = check_fields(document, struct)
    if faults:
        raise RequestInvalid("it can't be used", faults)
    return msgspec.convert(fields, struct)


def check_fields(document: dict[str, Any], struct: type[msgspec.Struct]) -> tuple[dict[str, Any], list[Fault]]:
    """Return the fields of an object that a struct can take, each by itself, and what is wrong with the others."""
    fields = {field.encode_name: field for field in _fields(struct)}
    faults = [_unknown(name) for name in document if name not in fields]
    usable = {}
    for name, field in fields.items():
        if name not in document:
            if field.required:
                faults.append(Fault(name, "is required"))
            continue
        try:
            msgspec.convert(document[name], field.type)
        except msgspec.ValidationError as exc:
            faults.append(Fault(name, _explain(exc, field)))
        else:
            usable[name] = document[name]
    return usable, faults


@functools.cache
def _fields(struct: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    # it evaluates the annotations each time: half of what reading a request would take
    return msgspec.structs.fields(struct)


def _unusable(problem: str) -> RequestInvalid:
    return RequestInvalid("it can't be used", [Fault("request", problem)])


def _unknown(name: str) -> Fault:
    return Fault(shown_field(name), "is no known field")


def _explain(error: msgspec.ValidationError, field: msgspec.structs.FieldInfo) -> str:
    text = str(error)
    if text.startswith("Invalid enum value"):
        # msgspec repeats the value, which may be somebody's number
        choices = _choices(_part(field.type, text.rpartition(_INSIDE)[2]))
        return f"expected one of {', '.join(choices)}, got another"
    if text.startswith(("Invalid RFC3339", "Expected `datetime")):
        got = "one without an offset" if "timezone" in text else (text.partition("got ")[2] or "another")
        return f"expected a time such as {_A_TIME}, got {got}"
    if " matching regex " in text:
        return f"expected {_FORMS.get(field.encode_name, 'the form that the schema describes')}, got another"
    if unknown := _UNKNOWN.match(text):
        # msgspec repeats the name, which may be anything
        text = f"Object contains unknown field `{shown_field(unknown[1])}`{unknown[2]}"
    return text[0].lower() + text[1:]


def _part(kind: Any, path: str) -> Any:  # noqa: ANN401 - any type that a field may have
    """Return the type of what is wrong inside of a field; `path` is msgspec's, such as `.on[0]`."""
    for name in re.findall(r"\.(\w+)", path):
        within = [field.type for struct in _structs(kind) for field in _fields(struct) if field.encode_name == name]
        kind = within[0] if within else kind
    return kind


def _choices(kind: Any) -> list[str]:  # noqa: ANN401 - any type that a field may have
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if _structs(kind) == [kind]:
        required = [f'"{field.encode_name}": …' for field in _fields(kind) if field.required]
        return [f"{{{', '.join(required)}}}"]
    return [choice for part in get_args(kind) for choice in _choices(part)]


def _structs(kind: Any) -> list[Any]:  # noqa: ANN401 - any type that a field may have
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    return [struct for part in get_args(kind) for struct in _structs(part)]


def _is_deeper(document: object, most: int) -> bool:
    level: list[object] = [document]
    for _ in range(most):
        level = [inner for each in level for inner in _inside(each) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _kind(value: object) -> str:
    return {list: "an array", str: "a string", type(None): "null", bool: "a boolean"}.get(type(value), "a number")
