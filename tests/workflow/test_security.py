"""A configuration is data: it reaches no shell, runs no code, and writes nowhere but results/."""

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PYTHON = [*ROOT.glob("src/**/*.py"), *ROOT.glob("scripts/**/*.py")]
SNAKEFILES = [ROOT / "workflow" / "Snakefile", *ROOT.glob("workflow/rules/*.smk")]
EXECUTES = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
UNSAFE = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def problems(text):
    """Calls that run text as code or unpack objects, in a Python source."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name in EXECUTES:
                found.append(f"{name}()")
            if name in ("yaml.load", "yaml.full_load", "yaml.unsafe_load"):
                found.append("YAML that makes objects")
            if name == "yaml.compose" and "Safe" not in keywords.get("Loader", ""):
                found.append("YAML that makes objects")
            if keywords.get("shell", "False") != "False":
                found.append("a shell")
            if keywords.get("allow_pickle", "False") != "False":
                found.append("pickle")
            if name.endswith(("read_pickle", "to_pickle")):
                found.append("pickle")
        names = [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")]
        names += [getattr(node, "module", None) or ""]
        found += sorted(UNSAFE & {name.partition(".")[0] for name in names})
    return found


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_python_runs_no_text_and_unpacks_no_objects(path):
    assert problems(path.read_text(encoding="utf-8")) == []


def test_such_calls_are_noticed():
    assert problems("eval(x)") == ["eval()"]
    assert problems("import os\nos.system(x)") == ["os.system()"]
    assert problems("subprocess.run(x, shell=True)") == ["a shell"]
    assert problems("from pickle import load") == ["pickle"]
    assert problems("yaml.load(x)") == ["YAML that makes objects"]
    assert problems("np.load(x, allow_pickle=True)") == ["pickle"]
    assert problems("yaml.safe_load(x)\nre.compile(x)") == []


@pytest.mark.parametrize("path", SNAKEFILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_rule_has_a_shell(path):
    """Rules are scripts, which get values as values: nothing to quote."""
    for word in ("shell:", "shell(", "run:", "pickle", "os.system", "eval(", "yaml.load("):
        assert word not in path.read_text(encoding="utf-8")


HOSTILE = [
    "../escape",
    "/tmp/escape",
    "a/../../escape",
    "$(touch escape)",
    "a; touch escape",
    "a`touch escape`",
    "a\n",
    "{input}",
    "",
]


@pytest.mark.parametrize("key", ["sweep", "front"])
@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_leave_results(key, name):
    from plrf.study.config import validate
    from plrf.study.problems import ConfigError

    config = yaml.safe_load((ROOT / "config" / "quick.yaml").read_text(encoding="utf-8"))
    schema = yaml.safe_load(
        (ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
    )
    validate(config, schema)
    if key == "sweep":
        config["sweeps"][name] = config["sweeps"]["toy_scaling"]
    else:
        config["sweeps"]["phase_III"]["front"] = name
    with pytest.raises(ConfigError, match="must be a valid name"):
        validate(config, schema)


def test_yaml_makes_no_objects(checkout, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(
        f"seed: !!python/object/apply:os.mkdir ['{tmp_path / 'escape'}']\n", encoding="utf-8"
    )
    process = checkout.snakemake("--configfile", config, "--directory", tmp_path, "--cores", "1")
    assert process.returncode != 0
    assert not (tmp_path / "escape").exists()
