"""Tasks from files: what is read, and what is refused by file, row and column before any job."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from plrf.exact.best_sizes import optimal_budgets
from plrf.study.advice import advice
from plrf.study.config import validate
from plrf.study.grid import expand
from plrf.study.problems import ConfigError
from plrf.study.tasks import SpectrumError, spectrum_task, task_of
from plrf.task import PowerLawTask

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
ALPHA, BETA, V = 0.7, 0.6, 400


def power_law_file(path):
    """A power law, its rows in no order."""
    j = np.arange(1.0, V + 1)
    table = pd.DataFrame({"target": j**-BETA, "eigenvalue": j ** (-2 * ALPHA), "rank": j})
    table = table.sample(frac=1, random_state=1)
    if path.suffix == ".csv":
        table.to_csv(path, index=False, float_format="%.17g")
    else:
        table.to_parquet(path)
    return str(path)


def study(spectrum, **changes):
    sweep = {
        "spectrum": spectrum,
        "noise": 0.01,
        "d": [20, 40, 80],
        "flops": 1.0e5,
        "runs": 2,
        "engines": ["sgd", "volterra"],
        "batch": 1,
        "c": 0.5,
    }
    fits = {"envelope_budgets": 11, "isoflop_budgets": 5, "parabola_neighbours": 2, "resamples": 40}
    sweeps = {"mine": sweep | changes}
    return validate({"seed": 1, "steps_per_decade": 10, "fits": fits, "sweeps": sweeps}, SCHEMA)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_is_the_task_that_it_holds(tmp_path, suffix):
    task = spectrum_task(power_law_file(tmp_path / f"law{suffix}"), 0.01)
    j = np.arange(1.0, V + 1)
    np.testing.assert_allclose(task.eigenvalues, j ** (-2 * ALPHA), rtol=1e-15)
    np.testing.assert_allclose(task.targets, j**-BETA, rtol=1e-15)
    assert task.noise == 0.01


def test_the_grid_is_that_of_the_power_law(tmp_path):
    """All features at every size, none of which is told apart by alpha and beta."""
    grid = expand(study(power_law_file(tmp_path / "law.csv")))
    assert grid["v"].eq(V).all() and grid[["alpha", "beta"]].isna().all(axis=None)
    assert set(grid["phase"]) == {"none"} and set(grid["engine"]) == {"sgd", "volterra"}
    trace = PowerLawTask(ALPHA, BETA).trace(V)
    np.testing.assert_allclose(grid["learning_rate"], 0.5 / trace, rtol=1e-14)


def test_momentum_whose_parameters_are_all_given_is_that_of_the_power_law(tmp_path):
    rule = {"name": "dana_decaying", "delta": 8, "exponent": 0.7}
    path = power_law_file(tmp_path / "law.csv")
    found = expand(study(path, momentum=rule, d=[100])).iloc[0]
    law = {"points": [[ALPHA, BETA]], "v_over_d": V / 100, "d": [100], "momentum": rule}
    settings = {key: found[key].item() for key in ("batch", "c", "flops")}
    law |= settings | {"engines": ["volterra"]}
    expected = expand(validate({"seed": 1, "sweeps": {"mine": law}}, SCHEMA)).iloc[0]
    assert found["momentum"] == expected["momentum"] == "dana_decaying(delta=8, exponent=0.7)"
    assert found["kernel_mass"] == pytest.approx(expected["kernel_mass"], rel=1e-6)


def test_runs_end_around_the_budget_at_which_a_size_is_best(tmp_path):
    path = power_law_file(tmp_path / "law.csv")
    grid = expand(study(path, around_optimum=3)).query("engine == 'sgd'")
    best = optimal_budgets(grid["d"], spectrum_task(path, 0.01))
    np.testing.assert_allclose(grid["flops"], np.minimum(3 * best, 1e5), rtol=0.05)
    assert grid["flops"].iloc[0] < 1e5


def test_random_numbers_depend_on_the_values_alone(tmp_path):
    csv, parquet = (power_law_file(tmp_path / f"law{suffix}") for suffix in (".csv", ".parquet"))
    seeds = [spectrum_task(path, noise).seeds for path in (csv, parquet) for noise in (0.0, 0.1)]
    assert len(set(seeds)) == 1
    other = tmp_path / "other.csv"
    pd.read_csv(csv).assign(target=1.0).to_csv(other, index=False, float_format="%.17g")
    variances, target = spectrum_task(str(other), 0.0).seeds
    assert variances == seeds[0][0] and target != seeds[0][1]


def test_advice_looks_at_the_front_of_the_spectrum(tmp_path):
    path = power_law_file(tmp_path / "law.csv")
    for high, words in ((4.0e3, "; add sizes from "), (1.0e5, "; take another window.")):
        (line,) = advice(study(path, windows=[[1.0e3, high]], runs=3))
        assert f"{path}: the best size at 1e+03 is" in line and words in line


MISTAKES = {
    "no column": ("eigenvalue,targets\n1,1\n", "has no column target; did you mean targets?"),
    "no rows": ("eigenvalue,target\n", "has no rows"),
    "negative": ("eigenvalue,target\n1,1\n-2,1\n", "row 2, column eigenvalue = -2"),
    "zero": ("eigenvalue,target\n1,1\n2,1\n0,0\n", "row 3, column eigenvalue = 0"),
    "missing": ("eigenvalue,target\n1,\n2,1\n", "row 1, column target = nan"),
    "infinite": ("eigenvalue,target\n1,2\n2,inf\n", "row 2, column target = inf"),
    "text": ("eigenvalue,target\n1,2\n2,two\n", "row 2, column target = two"),
    "empty": ("", "cannot be read"),
    "more fields than columns": ("eigenvalue,target\n1,2,3\n2,3,4\n", "more fields than the"),
    "nothing to learn": ("eigenvalue,target\n1,0\n2,0\n", "all targets are 0"),
}


@pytest.mark.parametrize(("text", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_file_that_gives_no_spectrum_is_refused(tmp_path, text, words):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        study(str(path))
    message = str(error.value)
    assert message.startswith(f"sweeps.mine.spectrum: {path}") and words in message
    assert len(message.splitlines()) == 1


def test_other_files_are_refused(tmp_path):
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(b"PAR1")
    for path, words in (
        (tmp_path / "none.csv", "there is no file"),
        (tmp_path / "mine.txt", "must end in .csv or .parquet"),
        (damaged, "cannot be read"),
        (tmp_path, "must end in"),
    ):
        with pytest.raises(SpectrumError, match=words):
            spectrum_task(str(path), 0.0)


def test_settings_that_do_not_fit_are_refused(tmp_path):
    path = power_law_file(tmp_path / "law.csv")
    for changes, start, words in (
        ({"d": [20, 401]}, "sweeps.mine.d[1] = 401: ", "at most the number of rows"),
        ({"c": 3.0}, "sweeps.mine.c = 3.0: SGD diverges", "at d = 20; allowed: c < "),
        ({"points": [[1, 1]]}, "sweeps.mine: ", "points, product or spectrum"),
        ({"engines": ["sgd_averaged"]}, "sweeps.mine.d[0] = 20: ", "at least 500"),
        ({"d": [400], "schedule": "cosine"}, "sweeps.mine.spectrum = ", "v must exceed every d"),
        ({"flops": 10}, "sweeps.mine.flops = 10: ", "less than one step"),
        (
            {"momentum": {"name": "dana_decaying", "delta": 8}},
            "sweeps.mine.momentum = ",
            "exponent: must be given where the task is no power law",
        ),
        ({"momentum": "heavy_ball"}, "sweeps.mine.c = 0.5: SGD with heavy_ball", "at d = 20; allo"),
    ):
        with pytest.raises(ConfigError) as error:
            study(path, **changes)
        line = next(x for x in str(error.value).splitlines() if x.startswith(start))
        assert words in line, line


def test_figures_of_theory_refuse_spectra(tmp_path):
    quick = yaml.safe_load((ROOT / "config/quick.yaml").read_text(encoding="utf-8"))
    for name in {quick["traverse"], quick["toy_scaling"]["sweep"], *quick["schedules"]["sweeps"]}:
        sweep = quick["sweeps"][name]
        sweep.pop("points", None), sweep.pop("product", None)
        sweep["spectrum"] = power_law_file(tmp_path / "law.csv")
        sweep["d"] = [d for d in (20, 28, 40, 57, 80) if d < V]
    with pytest.raises(ConfigError) as error:
        validate(quick, SCHEMA)
    lines = str(error.value).splitlines()
    for start in ("toy_scaling.sweep", "traverse", "schedules.sweeps[0]", "schedules.sweeps[1]"):
        assert any(x.startswith(start) and "of power laws" in x for x in lines), (start, lines)


def test_a_power_law_is_no_spectrum():
    point = {"spectrum": "", "alpha": ALPHA, "beta": BETA, "noise": 0.1}
    assert task_of(point) == PowerLawTask(ALPHA, BETA, 0.1)
