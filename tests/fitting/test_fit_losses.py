"""plrf.fit_losses: tables of the right form, known exponents, symmetries, and awkward tables."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

import plrf
from plrf.fitting import front_tables
from plrf.fitting.fit import LossFits
from plrf.fitting.groups import Group
from plrf.fitting.law import fit_table
from plrf.fitting.law_tables import LawFit
from plrf.fitting.quantities import best_d, best_loss, eta, xi
from plrf.fitting.runs import read_runs
from plrf.measure.refits import log_law_and_slopes
from plrf.study.schemas import measured as schemas
from tests.law_designs import TRUTH, isoflop, scattered
from tests.made_up import write

KNOWN = {"eta": float(eta(TRUTH)), "xi": float(xi(TRUTH)), "offset": float(np.exp(TRUTH[0]))}
METHODS = ["approach1", "approach2", "approach2_spline", "approach3", "variable_projection"]


def table_of(log_d, log_n, noise=0.003, seed=0, parameters=TRUTH):
    """Rows of a law with lognormal noise."""
    log_d, log_n = (logs.ravel() for logs in np.broadcast_arrays(log_d, log_n))
    log_loss = log_law_and_slopes(parameters, log_d, log_n)[0]
    log_loss = log_loss + noise * np.random.default_rng(seed).standard_normal(log_d.shape)
    d, n = np.exp(log_d), np.exp(log_n)
    return pd.DataFrame(
        {"parameters": d, "tokens": n, "flops": 6 * d * n, "loss": np.exp(log_loss)}
    )


def fit(table, **options):
    return plrf.fit_losses(table, **{"samples": "tokens", "resamples": 40} | options)


def fit_fronts_only(table, **columns):
    """What methods find along the fronts of a table, over all budgets."""
    group = Group.of(read_runs(table, samples="tokens", **columns), 1.2)
    found = front_tables.fit_fronts(group, np.empty(0), neighbours=2, resamples=40, seed=0)
    rows = pd.concat([fits[0].rows(0) for fits in found.values()])
    return rows.set_index(["method", "quantity"])


def main(fits):
    """Estimates over all budgets, by method and quantity."""
    rows = fits.exponents[fits.exponents["window"] == 0]
    return rows.set_index(["method", "quantity"])


def assert_close(fits, others, rtol=1e-6):
    """Exponents and their intervals are the same."""
    for column in ("estimate", "ci_low", "ci_high"):
        one, other = (f.exponents.query("quantity != 'offset'")[column] for f in (fits, others))
        np.testing.assert_allclose(other, one, rtol=rtol, atol=1e-7)


@pytest.fixture(scope="module")
def table():
    """Slices with a failed, a diverged and a repeated run."""
    rows = table_of(*isoflop())
    rows.loc[3, "loss"] = np.nan
    rows.loc[50, "loss"] *= 1.5
    return pd.concat([rows, rows.iloc[[20]]], ignore_index=True)


@pytest.fixture(scope="module")
def fits(table):
    return fit(table)


@pytest.mark.parametrize("name", [field.name for field in fields(LossFits)])
def test_tables_have_the_columns_of_their_schemas(fits, name, tmp_path):
    rows = getattr(fits, name)
    assert len(rows)
    write(rows, getattr(schemas, name.upper()), tmp_path / "table.parquet")


def test_known_exponents_are_in_their_intervals(fits):
    rows = main(fits)
    for (method, quantity), row in rows.iterrows():
        assert row["status"].startswith("ok"), (method, quantity)
        if quantity in KNOWN:
            error = abs(row["estimate"] - KNOWN[quantity])
            assert error < 4 * row["std_error"], (method, quantity)
            assert row["ci_low"] < row["estimate"] < row["ci_high"]
    assert sorted(set(rows.index.get_level_values("method"))) == METHODS
    without = rows.loc[("approach2", "eta_without_offset"), "estimate"]
    assert without < 0.5 * KNOWN["eta"]


def test_optima_are_those_of_the_law_and_less_certain_beyond(fits):
    for method, rows in fits.optimum.groupby("method"):
        flops = rows["flops"].to_numpy()
        np.testing.assert_allclose(rows["d_opt"], best_d(TRUTH, flops), rtol=0.35, err_msg=method)
        np.testing.assert_allclose(rows["loss"], best_loss(TRUTH, flops), rtol=0.03)
        np.testing.assert_allclose(6 * rows["d_opt"] * rows["n_opt"], flops)
        width = np.log(rows["d_opt_high"] / rows["d_opt_low"]).to_numpy()
        assert rows["factor"].max() == pytest.approx(10)
        assert (np.diff(width[(rows["factor"] > 1).to_numpy()]) > 0).all()
        assert width[-1] > 1.5 * width.min()


def test_runs_keep_their_order_and_say_why_they_are_left_out(fits, table):
    runs = fits.runs
    assert runs["row"].tolist() == list(range(1, len(table) + 1))
    left_out = runs[runs["status"] != "ok"].set_index("row")["status"].to_dict()
    assert left_out == {4: "no_loss", 51: "outlier", 97: "duplicate"}
    assert runs["budget"].nunique() == 12
    assert runs.loc[50, "log_residual"] == pytest.approx(np.log(1.5), abs=0.02)


@pytest.mark.parametrize("loss", [1.7, 1.0, 0.2])
def test_a_loss_that_is_far_too_low_is_an_outlier(loss):
    """Below E = 1.82: it does not bind E, and the law is that of the other rows."""
    rows = table_of(*isoflop())
    expected = Group.of(read_runs(rows.drop(20), samples="tokens"), 1.2)
    rows.loc[20, "loss"] = loss
    found = Group.of(read_runs(rows, samples="tokens"), 1.2)
    assert found.runs["status"].value_counts().to_dict() == {"ok": 95, "outlier": 1}
    assert found.runs.loc[20, "status"] == "outlier"
    np.testing.assert_allclose(found.law.parameters, expected.law.parameters)


def test_rows_in_no_fit_set_no_budgets():
    """A failed run of far more flops than all others."""
    rows = table_of(*isoflop())
    largest = rows["flops"].max()
    failed = pd.DataFrame({"parameters": [1e13], "tokens": [1e16], "loss": [np.nan]})
    fits = fit(pd.concat([rows, failed], ignore_index=True), extrapolation=10)
    assert fits.optimum["flops"].max() == pytest.approx(10 * largest)
    assert fits.optimum["factor"].max() == pytest.approx(10)
    assert fits.flatness["flops"].max() == pytest.approx(largest)


def test_order_of_rows_does_not_matter(fits, table):
    shuffled = table.sample(frac=1, random_state=1)
    assert_close(fits, fit(shuffled))


def test_units_do_not_matter(fits, table):
    """Of parameters in millions, samples in billions, flops in PF-days and losses in bits."""
    scaled = pd.DataFrame(
        {
            "parameters": table["parameters"] / 1e6,
            "tokens": table["tokens"] / 1e9,
            "flops": table["flops"] / 8.64e19,
            "loss": table["loss"] / np.log(2),
        }
    )
    k = 6e15 / 8.64e19
    assert_close(fits, fit(scaled, flops="flops", flops_per_parameter_and_sample=k))


def test_groups_do_not_know_of_each_other(fits, table):
    other = table_of(*isoflop(), seed=9).assign(model="b")
    both = fit(pd.concat([other, table.assign(model="")]), group="model")
    mine = both.exponents[both.exponents["group"] == ""].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, fits.exponents)
    assert set(both.laws["group"]) == {"", "b"}


def test_seeds_are_runs():
    seeds = [table_of(*isoflop(), seed=i).assign(seed=i) for i in range(3)]
    found = fit_fronts_only(pd.concat(seeds), seed="seed")
    assert (found.loc["approach2", "error_source"] == "runs").all()
    assert abs(found.loc[("approach2", "xi"), "estimate"] - KNOWN["xi"]) < 0.02
    uneven = pd.concat([*seeds[:2], seeds[2].head(40)])
    found = fit_fronts_only(uneven, seed="seed")
    assert (found.loc["approach2", "error_source"] == "residuals").all()


def test_flops_scattered_around_budgets():
    """The law moves losses to the budgets: without noise exponents are those of exact budgets."""
    log_d, log_n = isoflop()
    jitter = np.random.default_rng(2).uniform(-0.08, 0.08, log_n.shape)
    exact, moved = (fit_fronts_only(table_of(log_d, n, 0)) for n in (log_n, log_n + jitter))
    for method in METHODS[:3]:
        for quantity in ("eta", "xi"):
            key = (method, quantity)
            assert abs(moved.loc[key, "estimate"] - exact.loc[key, "estimate"]) < 1e-3, key


def test_whole_curves():
    """Records of runs: errors from leaving out sizes, and from resampling them."""
    log_n = np.log(np.geomspace(3e8, 3e11, 30))
    found = main(fit(table_of(np.log(np.geomspace(3e7, 1e10, 14))[:, None], log_n, noise=1e-3)))
    assert found.loc[("approach1", "xi"), "n_budgets"] > found.loc[("approach2", "xi"), "n_budgets"]
    assert found.loc[("approach3", "xi"), "error_source"] == "sizes"
    for method in METHODS:
        row = found.loc[(method, "xi")]
        assert abs(row["estimate"] - KNOWN["xi"]) < 4 * row["std_error"], method


@pytest.mark.parametrize("ratio", [10**0.3, 2.2])
def test_records_are_not_independent_whether_or_not_flops_line_up(ratio):
    """Nine runs, each with noise of its own that all of its 31 records share.

    Sizes a factor 10^0.3 apart, and ten records per decade, have flops in common.
    """
    rng = np.random.default_rng(8)
    noise = 0.003 * rng.standard_normal((9, 1)) + 0.0005 * rng.standard_normal((9, 31))
    log_d = np.log(1e7) + np.log(ratio) * np.arange(9)[:, None]
    table = table_of(log_d, np.log(np.geomspace(1e8, 1e11, 31)), noise=0)
    table["loss"] *= np.exp(noise.ravel())
    group = Group.of(read_runs(table, samples="tokens"), 1.2)
    assert group.curves
    laws = [
        LawFit.of(group, rows, fit_table, 200, np.random.default_rng(0)) for rows in group.windows()
    ]
    assert {law.source for law in laws} == {"sizes"}
    found = laws[0].laws.interval(eta)
    assert found.low < KNOWN["eta"] < found.high
    assert 0.003 < found.std_error < 0.02


def test_runs_of_common_sizes_near_budgets_are_slices():
    """Six budgets, neither exact nor apart: each size has six runs, but slices know the minima."""
    log_d = np.log(1e7) + 0.5 * np.arange(16)[:, None]
    log_f = np.log(np.geomspace(1e18, 1e21, 6)) + np.random.default_rng(5).uniform(
        -0.1, 0.1, (16, 6)
    )
    rows = table_of(log_d, log_f - np.log(6) - log_d)
    between = table_of(log_d[::5], np.linspace(20, 24, 12))
    row = fit_fronts_only(pd.concat([rows, between])).loc[("approach2", "xi")]
    assert row["status"].startswith("ok")
    assert abs(row["estimate"] - KNOWN["xi"]) < 4 * row["std_error"]


@pytest.mark.parametrize(("sizes", "samples"), [(14, 6), (14, 12), (9, 6), (9, 12)])
def test_grids_of_sizes_and_samples(sizes, samples):
    """Interpolated, unless enough of their products are near each other to be slices."""
    log_n = np.log(np.geomspace(3e8, 3e11, samples))
    table = table_of(np.log(np.geomspace(3e7, 1e10, sizes))[:, None], log_n, noise=0)
    row = fit_fronts_only(table).loc[("approach2_spline", "xi")]
    assert abs(row["estimate"] - KNOWN["xi"]) < 0.01


def test_scattered_runs_have_a_law():
    found = main(fit(table_of(*scattered())))
    for quantity in ("eta", "xi"):
        row = found.loc[("approach3", quantity)]
        assert abs(row["estimate"] - KNOWN[quantity]) < 4 * row["std_error"]


def test_exponents_that_cannot_be_separated_are_not_quoted():
    """Six sizes over one decade, all at the same numbers of samples."""
    log_d, log_n = np.log(np.geomspace(1e8, 1e9, 6))[:, None], np.log(np.geomspace(1e9, 1e11, 8))
    truth = np.array([np.log(1.8), np.log(480.0), 0.33, np.log(4e4), 0.65])
    fits = fit(table_of(log_d, log_n, noise=0.005, parameters=truth))
    for method in ("approach3", "variable_projection"):
        rows = main(fits).loc[method]
        assert (rows["status"] == "refused: not separated").all()
        assert rows[["estimate", "ci_low", "ci_high"]].isna().all(axis=None)
    free = fits.laws[fits.laws["form"] == "free"].set_index("parameter")
    assert (free.loc[["a", "b"], "status"] == "not separated").all()
    combination = free.iloc[-1]
    assert combination.name.endswith(" b") and combination["std_error"] < free.loc["a", "std_error"]
    best = fits.suggestions.iloc[0]
    assert best["a_error"] * best["b_error"] < 0.5 * best["a_error_now"] * best["b_error_now"]


def test_runs_along_a_line_have_no_best_sizes():
    """Also without noise, where all that is told would have intervals of no width."""
    log_d = np.linspace(14, 23, 16)
    fits = fit(table_of(log_d, np.log(20) + log_d, noise=0))
    rows = pd.concat([main(fits).loc["approach3"], fits.optimum, fits.flatness])
    assert rows["status"].str.startswith("refused: ").all()
    assert rows[["estimate", "d_opt", "cost"]].isna().all(axis=None)
    laws = fits.laws.set_index(["form", "parameter"])["status"]
    assert laws["free"].drop("E").str.startswith("not separated").all()
    assert laws["equal_exponents"][["A", "B"]].str.startswith("not separated").all()


def rows_of(log_d, log_n):
    return table_of(np.asarray(log_d, float), np.asarray(log_n, float))


LOG_D, LOG_N = isoflop()
AWKWARD = {
    "one row": (rows_of([18], [23]), "0 usable budgets", "1 losses"),
    "one size": (
        rows_of(18, np.log(np.geomspace(1e9, 1e11, 20))),
        "0 usable budgets",
        "the term A d^-a is negligible",
    ),
    "three budgets": (table_of(*isoflop(budgets=3)), "3 usable budgets", ""),
    "edge": (table_of(LOG_D + 3, LOG_N - 3), "dropped 12 edge_minimum", ""),
    "two sizes": (
        rows_of(np.array([[18], [19]]), np.log(np.geomspace(1e9, 1e11, 9))),
        "0 usable budgets",
        "",
    ),
}


@pytest.mark.parametrize("rows, front, law", AWKWARD.values(), ids=AWKWARD)
def test_awkward_tables_are_refused_by_method(rows, front, law, tmp_path):
    fits = fit(rows)
    found = main(fits)
    for method in METHODS[:3]:
        assert found.loc[method, "status"].str.startswith("refused: ").all()
        assert found.loc[method, "status"].str.contains(front).all()
        assert found.loc[method, "estimate"].isna().all()
    if law:
        assert found.loc["approach3", "status"].str.contains(law, regex=False).all()
    for field in fields(fits):
        write(getattr(fits, field.name), getattr(schemas, field.name.upper()), tmp_path / "one")


def test_a_law_with_a_given_offset_is_another_form():
    fits = fit(table_of(*isoflop()), fixed_e=KNOWN["offset"])
    forms = fits.laws.set_index(["form", "parameter"])
    assert forms.loc[("fixed_e", "E"), "estimate"] == pytest.approx(KNOWN["offset"])
    assert forms.loc[("fixed_e", "a"), "std_error"] < forms.loc[("free", "a"), "std_error"]
    assert set(fits.held_out["form"]) == {"free", "equal_exponents", "fixed_e"}


def test_an_offset_that_may_be_nothing_has_0_as_its_lower_end():
    """Not the least E that fits can have."""
    nothing = np.append(-np.inf, TRUTH[1:])
    fits = fit(table_of(*isoflop(), parameters=nothing), resamples=200)
    e = fits.laws.set_index(["form", "parameter"]).loc[("free", "E")]
    assert e["ci_low"] == 0 and e["profile_low"] == 0
    assert 0 < e["ci_high"] < 0.1
    found = main(fits).loc[["approach3", "variable_projection"]]
    assert found["status"].eq("ok").all()
    for quantity in ("eta", "xi"):
        rows = found.xs(quantity, level="quantity")
        assert rows["estimate"].sub(KNOWN[quantity]).abs().max() < 0.01


def test_many_rows_are_thinned_evenly():
    rng = np.random.default_rng(3)
    log_d, log_n = rng.uniform(17, 22, 5000), rng.uniform(21, 25, 5000)
    group = Group.of(read_runs(table_of(log_d, log_n), samples="tokens"), 1.2)
    assert group.runs["status"].value_counts().to_dict() == {"thinned": 3333, "ok": 1667}
    assert float(xi(group.law.parameters)) == pytest.approx(KNOWN["xi"], abs=0.01)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("budget_tolerance", 0.9),
        ("neighbours", 0),
        ("extrapolation", 0.5),
        ("resamples", 1),
        ("fixed_e", -1),
    ],
)
def test_options_out_of_range_are_refused_by_name(option, value):
    with pytest.raises(ValueError, match=f"{option} = {value:g}: must be"):
        fit(table_of(*isoflop()), **{option: value})


def test_the_audit_knows_no_bias_on_surfaces_of_the_laws_form(fits, tmp_path):
    rows = plrf.audit_losses(fits.runs)
    write(rows, schemas.AUDIT, tmp_path / "audit.parquet")
    assert sorted(rows["method"].unique()) == METHODS
    own = rows[rows["surface"].isin(["fitted law", "a = 0.35, b = 0.35"])]
    assert own["bias"].abs().max() < 2e-3
    features = rows[rows["surface"].str.startswith("phase")]
    xis = features[features["quantity"] == "xi"].set_index("method")["bias"].abs()
    assert xis["approach2_spline"].max() < 2e-3
    assert xis["approach3"].max() > 0.05
