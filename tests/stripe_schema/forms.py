"""Turns a form into the JSON its schema expects, so that the schema can judge it; for `validators`."""

import re
from collections.abc import Mapping
from typing import Any

from jsonschema.protocols import Validator

from tests.stripe_schema.schemas import Schema


def nest(form: Mapping[str, str]) -> dict[str, Any]:
    """Turn `{"a[b][0]": "c"}` into `{"a": {"b": {"0": "c"}}}`."""
    tree: dict[str, Any] = {}
    for key, value in form.items():
        *path, last = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", key)
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch[last or str(len(branch))] = value
    return tree


def coerce(value: Any, schema: Schema, validator: Validator) -> Any:
    """Read text as the type its schema wants; what cannot be read stays text, for the schema to refuse."""
    if "allOf" in schema:
        return coerce(value, schema["allOf"][0], validator)
    if "anyOf" in schema:
        return _first_that_fits(value, schema["anyOf"], validator)
    if isinstance(value, dict):
        return _coerce_dict(value, schema, validator)
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", value, re.ASCII):
        return int(value)
    if schema.get("type") == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def _first_that_fits(value: Any, options: list[Schema], validator: Validator) -> Any:
    for option in options:
        candidate = coerce(value, option, validator)
        if validator.evolve(schema=option).is_valid(candidate):
            return candidate
    return value


def _coerce_dict(value: dict[str, Any], schema: Schema, validator: Validator) -> Any:
    if schema.get("type") == "array":
        numbered = sorted(value.items(), key=lambda item: int(item[0]) if item[0].isdigit() else -1)
        return [coerce(entry, schema["items"], validator) for _, entry in numbered]
    other = schema.get("additionalProperties") or {}
    known = schema.get("properties", {})
    return {name: coerce(entry, known.get(name, other), validator) for name, entry in value.items()}
