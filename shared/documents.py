"""JSON objects from outside, checked against a struct: all of their faults, not just the first. Pure."""

from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import msgspec

from shared.errors import Fault, RequestInvalid

_NAME_SHOWN: Final = 40
_S = TypeVar("_S", bound=msgspec.Struct)


def read_document(content: bytes, struct: type[_S], *, longest: int) -> _S:
    """Read a JSON object of at most `longest` characters as a struct.

    Raises:
        RequestInvalid: it is none, or its fields are not those of the struct; every fault is named.
    """
    return convert(parse_object(content, longest=longest), struct)


def parse_object(content: bytes, *, longest: int) -> dict[str, Any]:
    """Parse a JSON object of at most `longest` characters.

    Raises:
        RequestInvalid: it is none; the fault says what came, and nothing of what it holds.
    """
    try:
        characters = len(content.decode())
        document = msgspec.json.decode(content)
    except UnicodeDecodeError as exc:
        raise _unusable("expected UTF-8 text, got bytes that are none") from exc
    except RecursionError as exc:
        raise _unusable("expected a JSON object, got one that is nested too deep") from exc
    except msgspec.DecodeError as exc:
        raise _unusable(f"expected a JSON object, got no JSON: {exc}") from exc
    if characters > longest:
        raise _unusable(f"expected at most {longest} characters, got {characters}")
    if not isinstance(document, dict):
        raise _unusable(f"expected a JSON object, got {_kind(document)}")
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
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
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
            faults.append(Fault(name, _explain(exc, field.type)))
        else:
            usable[name] = document[name]
    return usable, faults


def _unusable(problem: str) -> RequestInvalid:
    return RequestInvalid("it can't be used", [Fault("request", problem)])


def _unknown(name: str) -> Fault:
    shown = name if len(name) <= _NAME_SHOWN and name.isidentifier() else f"a name of {len(name)} characters"
    return Fault(shown, "is no known field")


def _explain(error: msgspec.ValidationError, kind: Any) -> str:  # noqa: ANN401 - any type that a field may have
    text = str(error)
    if text.startswith("Invalid enum value"):
        # msgspec repeats the value, which may be somebody's number
        return f"expected one of {', '.join(_choices(kind))}, got another"
    if " matching regex " in text:
        return "expected the form that the schema describes, got another"
    return text[0].lower() + text[1:]


def _choices(kind: Any) -> list[str]:  # noqa: ANN401 - any type that a field may have
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return [choice for part in get_args(kind) for choice in _choices(part)]


def _kind(value: object) -> str:
    return {list: "an array", str: "a string", type(None): "null", bool: "a boolean"}.get(type(value), "a number")
