"""What the schema of the configuration says, in words."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from plrf.model import power_law_model
from plrf.momentum import MOMENTA
from plrf.schedules import SCHEDULES, schedule_of
from plrf.study.momenta import NONE, rule_of
from plrf.study.problems import Problem, problem, suggestion

TYPE_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "number": "a finite number",
    "integer": "a whole number",
}
RULES = {
    "type": "must be {}",
    "enum": "must be one of {}",
    "format": "{}",
    "pattern": "must be a valid name",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be greater than {}",
    "exclusiveMaximum": "must be less than {}",
    "minItems": "must have at least {} item(s)",
    "maxItems": "must have at most {} item(s)",
    "minProperties": "must have at least {} item(s)",
    "maxProperties": "must have at most {} item(s)",
}


def _is_number(_: object, value: object) -> bool:
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


def _is_integer(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON Schema by default takes NaN for a number and 200.0 for an integer.
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_integer}
    ),
)


def _is_schedule(value: object) -> bool:
    """Whether a name or a mapping is a schedule; other types are refused as such."""
    return not isinstance(value, str | dict) or bool(schedule_of(value))


def _is_momentum(value: object) -> bool:
    """The same of momentum, for some model: ranges depend on none."""
    if isinstance(value, str | dict):
        rule_of(value, ANY_MODEL, 1)
    return True


ANY_MODEL = power_law_model(1.0, 1.0, 10, 40)
# What a value of a format is named by.
NAMES = {"schedule": list(SCHEDULES), "momentum": [NONE, *MOMENTA]}
FORMATS = FormatChecker(formats=())
FORMATS.checkers["schedule"] = (_is_schedule, (TypeError, ValueError))
FORMATS.checkers["momentum"] = (_is_momentum, (TypeError, ValueError))


def schema_problems(config: object, schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Find violations of a JSON Schema."""
    for error in Validator(schema, format_checker=FORMATS).iter_errors(config):
        path = tuple(error.absolute_path)
        properties = error.schema.get("properties", {})
        if error.validator == "additionalProperties":
            for key in error.instance.keys() - properties.keys():
                yield (*path, key), f": unknown key; {suggestion(key, properties)}"
        elif error.validator == "required":
            for key in set(error.validator_value) - error.instance.keys():
                yield (*path, key), f": missing{_meaning(properties[key])}"
        elif "propertyNames" in error.absolute_schema_path:
            yield (*path, error.instance), f": the key {_rule(error)}"
        else:
            yield problem(path, error.instance, _rule(error))


def _rule(error: ValidationError) -> str:
    """Say what is allowed where ``error`` occurred."""
    allowed, hint = error.validator_value, ""
    if error.validator == "type":
        hint = _spelling_hint(error.instance, allowed)
        kinds = allowed if isinstance(allowed, list) else [allowed]
        allowed = " or ".join(TYPE_NAMES[kind] for kind in kinds)
    elif error.validator == "enum":
        allowed = ", ".join(allowed)
    elif error.validator == "format":
        allowed = _named_rule(error)
    return RULES[error.validator].format(allowed) + hint + _meaning(error.schema)


def _named_rule(error: ValidationError) -> str:
    """Say what is wrong with a schedule or momentum: its name, or what its parameters may be."""
    name = error.instance.get("name", "") if isinstance(error.instance, dict) else error.instance
    known = NAMES[error.validator_value]
    if name in known:
        return str(error.cause)
    hint = suggestion(name, known)
    return f"must be one of {', '.join(known)}{f'; {hint}' if hint.startswith('did') else ''}"


def _spelling_hint(value: object, expected: str) -> str:
    """Say how to write a number that YAML did not read as one: it takes ``1e6`` for text."""
    try:
        number = float(value) if isinstance(value, str | float) else math.nan
    except ValueError:
        return ""
    if expected == "integer" and number.is_integer():
        return f", write {int(number)}"
    if expected == "number" and math.isfinite(number):
        return f", write {np.format_float_scientific(number, trim='0', exp_digits=1)}"
    return ""


def _meaning(schema: Mapping[str, Any]) -> str:
    return f" ({schema['description']})" if "description" in schema else ""
