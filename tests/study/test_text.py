"""The text of a config: what is read otherwise than it looks, on which line, and what to write."""

import json
from pathlib import Path

import pytest
import yaml

from plrf.study.problems import ConfigError
from plrf.study.text import check_text

ROOT = Path(__file__).resolve().parents[2]
QUICK = (ROOT / "config" / "quick.yaml").read_text(encoding="utf-8")


def refusal(content):
    """The lines of the message, without the name of the file."""
    content = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(ConfigError) as caught:
        check_text(content, "my.yaml")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("my.yaml, line ") for line in lines)
    return [line.removeprefix("my.yaml, line ") for line in lines]


@pytest.mark.parametrize(
    "content",
    [
        *(path.read_bytes() for path in sorted((ROOT / "config").glob("*.yaml"))),
        QUICK.encode("utf-8-sig"),
        QUICK.replace("\n", "\r\n").encode(),
        json.dumps(yaml.safe_load(QUICK), indent="\t").encode(),
        json.dumps(yaml.safe_load(QUICK)).encode(),
        b"",
        b"a: [0, 10, -3, 0.5, 007, 0x1F, 0b11, 1_000, 1.0e+6, 1e6, 08, -.inf, .nan, true, null]",
        b"a: {b: '020', c: \"yes\", d: no way, e: 12-30, f: x:y, g: 2024-01, 'no': ~, <<: {b: 1}}",
        "α: ε  # für".encode(),
    ],
)
def test_what_is_read_as_it_looks_is_accepted(content):
    check_text(content, "my.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("d: [20,\n 020]", "2: 020 is read as octal 16; write 20 or 16"),
        ("d: -0_17", "1: -0_17 is read as octal -15; write -17 or -15"),
        ("d: !!int '020'", "1: 020 is read as octal 16; write 20 or 16"),
        ("s: 12:30:45", '1: 12:30:45 is read as 45045, to the base 60; write that, or "12:30:45"'),
        ("s: -1:30.5", '1: -1:30.5 is read as -90.5, to the base 60; write that, or "-1:30.5"'),
        ("s: On", '1: On is read as true or false; write "On" for a text'),
        ("s: 2024-01-01", '1: 2024-01-01 is read as a date; write "2024-01-01" for a text'),
        ("s: 2024-01-01 10:00:00", "1: 2024-01-01 10:00:00 is read as a date; write"),
        ("no: 1", '1: the key no is read as true or false; write "no" for a text'),
        ("true: 1", '1: the key true is read as true or false; write "true" for a text'),
        ("a: {12: 1}", '1: the key 12 is read as a number; write "12" for a text'),
        ("1.5: 1", '1: the key 1.5 is read as a number; write "1.5" for a text'),
        ("~: 1", '1: the key ~ is read as no value; write "~" for a text'),
        ("2024-01-01: 1", "1: the key 2024-01-01 is read as a date; write"),
        ("a: !!binary aGk=", '1: aGk= is read as binary; write "aGk=" for a text'),
        ("a: !!set {b, c}", "1: the tag set cannot be used here; remove it"),
        ("a: !!python/tuple [1]", "1: the tag python/tuple cannot be used here; remove it"),
        ("a: &x {b: 1, b: 2}\nc: *x\nd: {<<: *x}", "1: b stands twice; rename or remove one"),
        ("a: &x [020]\nc: *x", "1: 020 is read as octal 16; write 20 or 16"),
        ('{\n\t"a": 1,\n\t"a": 2\n}', "3: a stands twice; rename or remove one"),
        ("a:\n\tb: 1", "2: neither YAML nor JSON: found character '\\t' that cannot start any"),
        ("a:\n- [1, 2}", "2: neither YAML nor JSON: expected ',' or ']'"),
        ("a: *x", "1: neither YAML nor JSON: found undefined alias"),
        ("a: 1\n---\nb: 1", "2: neither YAML nor JSON: but found another document"),
        ("a: 1\nb: \0", "2: the character '\\x00' is not allowed; remove it"),
        ("a: 1\nb: für".encode("latin-1"), "2: the byte 0xfc is not UTF-8; save the file with"),
        (QUICK.encode("utf-16"), "1: the byte 0xff is not UTF-8; save the file with"),
        ("a: &x [*x]", "1: aliases repeat values without end"),
    ],
)
def test_what_is_misread_is_refused(text, message):
    [line] = refusal(text)
    assert line.startswith(message)


def test_all_problems_in_the_order_of_their_lines():
    text = QUICK.replace("[20, 40]", "[020, 040]") + "  no:\n    d: 1\n    d: 1:20\n"
    lines = text.splitlines()
    n, sizes = len(lines), 1 + next(i for i, line in enumerate(lines) if "[020, 040]" in line)
    starts = [
        f"{sizes}: 020 ",
        f"{sizes}: 040 ",
        f"{n - 2}: the key no ",
        f"{n}: 1:20 ",
        f"{n}: d stands twice",
    ]
    for line, start in zip(refusal(text), starts, strict=True):
        assert line.startswith(start)


def test_many_aliases_are_refused_in_no_time():
    bomb = ["a0: &a0 [x]"]
    bomb += [f"a{i}: &a{i} [{', '.join(9 * [f'*a{i - 1}'])}]" for i in range(1, 30)]
    [line] = refusal("\n".join(bomb))
    assert line.startswith("1: aliases repeat values")
    check_text("\n".join(bomb[:6]).encode(), "my.yaml")
