import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from shared.outbound.schema import json_schema
from tests.outbound.samples import a_message
from tests.outbound.test_decode import REFUSED_BY_FIELD, TAKEN

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "request.schema.json"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(FILE.read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_schema_in_the_repository_is_the_one_that_the_code_makes() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "shared.outbound.schema"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    assert FILE.read_bytes().replace(b"\r\n", b"\n") == made
    assert json.loads(made) == json_schema()


@pytest.mark.parametrize(("base", "fields"), TAKEN, ids=repr)
def test_the_schema_takes_what_the_app_takes(
    validator: Draft202012Validator, base: dict[str, str], fields: dict[str, Any]
) -> None:
    validator.validate(json.loads(a_message(base, **fields)))


# JSON Schema leaves formats to the reader: that of a moment is checked by the app alone
BY_SCHEMA = [
    case for case in REFUSED_BY_FIELD if not (case[2] == {"expires_at"} and isinstance(case[1]["expires_at"], str))
]


@pytest.mark.parametrize(("base", "fields", "faulty"), BY_SCHEMA, ids=repr)
def test_the_schema_refuses_what_one_field_alone_breaks(
    validator: Draft202012Validator, base: dict[str, str], fields: dict[str, Any], faulty: set[str]
) -> None:
    errors = list(validator.iter_errors(json.loads(a_message(base, **fields))))
    assert errors
    assert all(set(error.path) & faulty or any(name in error.message for name in faulty) for error in errors)


def test_fields_have_the_names_that_a_request_has() -> None:
    fields = json_schema()["$defs"]["Request"]["properties"]
    assert "from" in fields
    assert "from_" not in fields
