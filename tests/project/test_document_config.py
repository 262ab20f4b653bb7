"""The reference of configuration keys, against the schema and the configurations."""

from pathlib import Path

import pytest
import yaml

from scripts.maintain.document_config import allowed, document, keys

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
# Mappings whose keys are names of the user's.
BY_NAME = [("sweeps",), ("measured",), ("data", "files"), ("data", "training", "sizes")]


def test_page_is_up_to_date():
    page = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    assert page == document(SCHEMA), "run `make readme`"


@pytest.mark.parametrize("name", ["config", "quick", "full", "measured"])
def test_each_key_in_use_is_documented(name):
    documented = {key for key, _, _ in keys(SCHEMA, SCHEMA)}

    def check(value, path):
        if isinstance(value, dict):
            for key, child in value.items():
                own = (*path, "NAME" if path in BY_NAME else key)
                assert ".".join(own) in documented
                if key != "schedule":  # its parameters are those of its name
                    check(child, own)

    check(yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8")), ())


def test_each_key_has_a_meaning():
    assert all(meaning for _, _, meaning in keys(SCHEMA, SCHEMA))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 5}, "integer, ≥ 1, ≤ 5"),
        ({"type": "number", "exclusiveMinimum": 0}, "number, > 0"),
        ({"type": "array", "items": {"$ref": "#/$defs/x"}}, "list of number, < 3"),
        ({"enum": ["a", "b"]}, "`a` or `b`"),
        ({"type": "object"}, "mapping"),
    ],
)
def test_allowed_values_in_words(schema, words):
    root = {"$defs": {"x": {"type": "number", "exclusiveMaximum": 3}}}
    assert allowed(schema, root) == words
