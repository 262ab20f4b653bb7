"""Sampled spectra, spectral densities, contours, and the figures of them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import StepPatch

from plrf.engines.reduction import feature_blocks
from plrf.exact import inversion
from plrf.exact.contours import gamma, gamma_height
from plrf.exact.density import spectral_density
from plrf.exact.ridge import DeterministicEquivalent
from plrf.model import power_law_model
from plrf.scaling import learning_rate
from plrf.streams import random_stream
from plrf.study import store
from plrf.study.schemas import spectra as spectra_schema
from plrf.task import feature_variances, target_coefficients
from plrf.theory import parts
from plrf.training import SGD
from scripts.figures import fig06_spectra, fig07_contour
from scripts.spectra import contours, sample_spectra, spectral_densities
from tests.figure_checks import is_drawn, layout_problems, shown_texts

D, V, SEED = 20, 50, 3
POINTS = [[0.7, 0.4], [1.1, 0.8], [0.7, 1.5]]


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """Histogram and eigenvalues as the job writes them."""
    directory = tmp_path_factory.mktemp("spectra")
    paths = [str(directory / f"{name}.parquet") for name in ("histogram", "eigenvalues")]
    sample_spectra.run_job(POINTS, D, V, 5, SEED, *paths)
    schemas = (spectra_schema.SPECTRUM_HISTOGRAM, spectra_schema.EIGENVALUES)
    return [store.read_table(path, schema) for path, schema in zip(paths, schemas, strict=True)]


def at(table, alpha, beta):
    return table[(table["alpha"] == alpha) & (table["beta"] == beta)]


def decompose(alpha, beta, sample):
    """Eigenvalues and masses of one W, from all of K^ at once."""
    stream = random_stream(SEED, "spectra", alpha, D, V, sample)
    w = np.concatenate([block for _, block in feature_blocks(stream, D, V)])
    root = np.sqrt(feature_variances(alpha, V))
    features = root[:, None] * w
    values, vectors = np.linalg.eigh(features @ features.T)
    masses = np.square(vectors.T @ (root * target_coefficients(beta, V)))
    return values[-D:], masses[-D:]  # the other V - D are zero


class TestSampleSpectra:
    @pytest.mark.parametrize(("alpha", "beta"), POINTS)
    def test_against_the_whole_matrix(self, sampled, alpha, beta):
        histogram, eigenvalues = (at(table, alpha, beta) for table in sampled)
        values, masses = decompose(alpha, beta, 0)
        np.testing.assert_allclose(eigenvalues["eigenvalue"], values, rtol=1e-9)
        np.testing.assert_allclose(eigenvalues["mass"], masses, rtol=1e-6, atol=1e-12)
        low, high = histogram["x_low"].to_numpy(), histogram["x_high"].to_numpy()
        np.testing.assert_array_equal(low[1:], high[:-1])
        counts, binned = [], []
        for sample in range(5):
            values, masses = decompose(alpha, beta, sample)
            inside = (values >= low[:, None]) & (values < high[:, None])
            assert inside.sum() == D, "the bins cover all eigenvalues"
            counts.append(inside.sum(axis=1))
            binned.append(inside @ masses)
        np.testing.assert_allclose(histogram["count"], np.mean(counts, axis=0))
        np.testing.assert_allclose(histogram["mass"], np.mean(binned, axis=0), atol=1e-10)
        spread = np.std(binned, axis=0, ddof=1) / np.sqrt(5)
        np.testing.assert_allclose(histogram["std_error"], spread, atol=1e-10)

    def test_a_point_does_not_depend_on_the_others(self, sampled, tmp_path):
        paths = [str(tmp_path / f"{name}.parquet") for name in "he"]
        sample_spectra.run_job(POINTS[2:], D, V, 5, SEED, *paths)
        for path, table in zip(paths, sampled, strict=True):
            alone = pd.read_parquet(path)
            together = at(table, *POINTS[2]).reset_index(drop=True)
            pd.testing.assert_frame_equal(alone, together, check_exact=True)

    def test_seeds_differ(self):
        first, second = (sample_spectra.sample(0.7, [0.4], D, V, 1, seed) for seed in (1, 2))
        assert np.all(first[0][0].eigenvalues != second[0][0].eigenvalues)


class TestSpectralDensities:
    @pytest.mark.parametrize(("alpha", "beta"), POINTS)
    def test_totals(self, alpha, beta):
        table = spectral_densities.densities(alpha, beta, D, V)
        mass = (table["weight"] * table["mass_density"]).sum()
        total = (feature_variances(alpha, V) * target_coefficients(beta, V) ** 2).sum()
        floor = DeterministicEquivalent(power_law_model(alpha, beta, D, V)).capacity
        assert mass == pytest.approx(total - floor, rel=1e-6)
        counts = (table["weight"] * table["density"]).groupby(table["band"]).sum()
        np.testing.assert_allclose(counts.iloc[1:], 1, rtol=1e-6)
        assert counts.sum() == pytest.approx(D, rel=1e-6)
        assert set(table["status"]) == {"ok"}

    @pytest.mark.parametrize(("alpha", "beta"), [(0.7, 0.9), (0.4, 0.7), (1.2, 0.1)])
    def test_forms_are_those_that_the_named_parts_integrate(self, alpha, beta):
        """F_pp and F_ac at T = 2 gamma B r, by quadrature in log u."""
        rate, steps, d, v = 0.2, 50, 300, 1200
        x, weights = np.polynomial.legendre.leggauss(400)
        for lowest, density, part in (
            (
                1e-16,
                lambda u: parts.pure_point_density(u, alpha=alpha, beta=beta),
                parts.f_pp(steps, alpha=alpha, beta=beta, learning_rate=rate),
            ),
            (
                d ** (-2 * alpha),
                lambda u: parts.continuous_density(u, alpha=alpha, beta=beta, d=d, v=v),
                parts.f_ac(steps, alpha=alpha, beta=beta, d=d, v=v, learning_rate=rate),
            ),
        ):
            u = np.exp(np.log(lowest) * (1 - x) / 2)
            integral = weights @ (density(u) * u * np.exp(-2 * rate * steps * u))
            assert -np.log(lowest) / 2 * integral == pytest.approx(part, rel=1e-6)
            assert np.all(density(np.array([1.1, 2.0])) == 0)

    def test_leading_forms_far_from_all_ends(self):
        """In the bulk of a large model the density is close to the sum of the two forms."""
        table = spectral_densities.densities(1.0, 2.0, 1000, 4000)
        bulk = table[table["x"].between(1e-4, 1e-3)]
        forms = bulk["pure_points"] + bulk["continuous"]
        np.testing.assert_allclose(bulk["mass_density"], forms, rtol=0.1)


# Above this, t statistics of 400 means fall with probability 1.1e-5 if what is averaged is as
# skewed as chi-squared with one degree of freedom (simulated 2e6 times).
T_LIMIT = 5.5


@pytest.fixture(scope="module", params=[(1.0, 2.0), (0.75, 0.25)])
def means(request):
    """Alpha, bins, the mean mass in them, its standard error, and the reductions."""
    alpha, beta = request.param
    spectrum = spectral_density(alpha, beta, 100, 400)
    gaps = (spectrum.bands[1:, 0] + spectrum.bands[:-1, 1]) / 2
    in_bulk = spectrum.x < gaps[0]
    count = np.cumsum(spectrum.weights * spectrum.density)[in_bulk]
    parts = np.searchsorted(count, np.arange(1, 8) / 8 * count[-1])
    edges = np.concatenate([[0], spectrum.x[parts], gaps, [10.0]])
    rows = sample_spectra.sample(alpha, [beta], 100, 400, 400, seed=5)
    masses = np.array(
        [np.histogram(r.eigenvalues, edges, weights=r.coefficients**2)[0] for (r,) in rows]
    )
    return alpha, edges, masses.mean(axis=0), masses.std(axis=0, ddof=1) / 20, rows


class TestSamplesFollowTheDensity:
    """Mass in coarse bins: the outliers one by one, and equal parts of the bulk.

    20 bins or fewer per point, each with a false-alarm rate of at most 1.1e-5: below 5e-4 for
    both points.  The deterministic equivalent is right to O(1/d): measured with 3000 W, it is off
    by 5% at most at d = 100.
    """

    BIAS = 0.05

    def excess(self, means, beta):
        """T statistics of what the bias does not explain, for a density with this beta."""
        alpha, edges, mean, std_error, _ = means
        table = spectral_densities.densities(alpha, beta, 100, 400)
        mass = table["weight"] * table["mass_density"]
        # At a node half of its own mass is below.
        expected = np.diff(np.interp(edges, table["x"], mass.cumsum() - mass / 2, 0, mass.sum()))
        return (np.abs(mean - expected) - self.BIAS * expected) / std_error

    def test_mass(self, means):
        beta = {1.0: 2.0, 0.75: 0.25}[means[0]]
        assert self.excess(means, beta).max() < T_LIMIT

    def test_a_wrong_density_fails(self, means):
        """The test has power: beta too small by 0.3 is seen."""
        beta = {1.0: 2.0, 0.75: 0.25}[means[0]]
        assert self.excess(means, beta - 0.3).max() > T_LIMIT

    def test_outliers_are_wider_by_the_root_of_two(self, means):
        """Standard deviations over W and of the averaged resolvent's bands, of the top two.

        The ratio of standard deviations of 400 nearly Gaussian numbers is off by 3.5% each:
        20% is more than five of these.
        """
        alpha, *_, rows = means
        table = spectral_densities.densities(alpha, 1.0, 100, 400)
        top = np.array([r.eigenvalues[-2:] for (r,) in rows])
        for k, values in enumerate(top.T[::-1]):
            band = table[table["band"] == table["band"].max() - k]
            mass = band["weight"] * band["density"]
            centre = np.average(band["x"], weights=mass)
            width = np.sqrt(np.average((band["x"] - centre) ** 2, weights=mass))
            assert values.std() / width == pytest.approx(np.sqrt(2), rel=0.2)


def winding_number(path, point):
    """How often a closed polygon runs around a point, counterclockwise."""
    path = np.append(path, path[0])
    return round(float(np.angle((path[1:] - point) / (path[:-1] - point)).sum() / (2 * np.pi)))


class TestContours:
    def test_gamma_encloses_the_spectrum_and_leaves_out_zero(self, sampled):
        eigenvalues = at(sampled[1], 1.1, 0.8)["eigenvalue"].to_numpy()
        *pieces, around_zero = gamma(eigenvalues, 1.1, D).values()
        ends = [piece[-1] for piece in pieces]
        starts = [piece[0] for piece in pieces[1:] + pieces[:1]]
        np.testing.assert_allclose(ends, starts, rtol=1e-12)
        closed = np.concatenate([piece[:-1] for piece in pieces])
        assert {winding_number(closed, x) for x in eigenvalues} == {1}
        assert winding_number(closed, 0) == 0
        assert winding_number(around_zero[:-1], 0) == 1
        assert {winding_number(around_zero[:-1], x) for x in eigenvalues} == {0}

    @pytest.mark.parametrize("alpha", [0.4, 0.7, 1.2])
    def test_height_changes_its_slope_at_the_root_of_the_gap(self, alpha):
        d = 1e4
        u = np.geomspace(d ** (-2 * alpha), 1, 401)
        slopes = np.diff(np.log(gamma_height(u, alpha, d))) / np.diff(np.log(u))
        np.testing.assert_allclose(slopes[:199], 1 - 1 / (2 * alpha), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(slopes[201:], 1 + 1 / (2 * alpha), rtol=1e-9)
        # A point near 1 is as far from the axis as from its neighbours; the gap is as wide as high.
        assert gamma_height(u[[0, -1]], alpha, d) == pytest.approx(u[[0, -1]])

    def test_solver_nodes_are_those_that_the_solver_uses(self, sampled):
        table = contours.contour_table(at(sampled[1], 1.1, 0.8), c=0.5)
        rate = learning_rate(0.5, 1.1, V, 1)
        used = []

        class Recorder:
            spectrum = DeterministicEquivalent(power_law_model(1.1, 0.8, D, V))
            noise = spectrum.noise

            def outer_trace(self, z):
                return self.spectrum.outer_trace(z)

            def transforms(self, z, near_zero):
                used.append(z[0].ravel())
                return self.spectrum.transforms(z, near_zero)

        own = table.dropna(subset="first_step")
        steps = np.unique(own[["first_step", "last_step"]])
        assert steps[0] == 0
        inversion.invert(steps, Recorder(), SGD(rate))
        nodes = (own["real"] + 1j * own["imag"]).to_numpy()
        distance = np.abs(nodes[:, None] - np.concatenate(used)).min(axis=1)
        assert np.all(distance <= 1e-12 * np.abs(nodes))
        lowest = at(sampled[1], 1.1, 0.8)["eigenvalue"].min()
        assert own["last_step"].max() >= 1 / (rate * lowest), "until the slowest mode has decayed"


def stairs_of(figure):
    """Values and edges of all histograms."""
    for ax in figure.axes:
        for patch in ax.patches:
            if isinstance(patch, StepPatch):
                yield patch.get_data()


class TestFig06:
    @pytest.fixture
    def data(self, quick):
        return [quick.table(f"spectra/{name}") for name in ("histogram", "density")]

    def test_draws_the_tables(self, style, data):
        histogram, density = data
        figure = fig06_spectra.draw(*data)
        drawn = list(stairs_of(figure))
        bars = [
            np.array(collection.get_segments())
            for ax in figure.axes
            for collection in ax.collections
            if isinstance(collection, LineCollection)
        ]
        points = histogram[["alpha", "beta"]].drop_duplicates()
        assert len(drawn) == len(bars) == 2 * len(points)
        for k, point in enumerate(points.itertuples(index=False)):
            bins = at(histogram, *point)
            width = np.log(bins["x_high"] / bins["x_low"])
            for j in (2 * k, 2 * k + 1):  # the whole spectrum, and the largest eigenvalue
                np.testing.assert_allclose(drawn[j].values, bins["mass"] / width)
                np.testing.assert_allclose(drawn[j].edges[:-1], bins["x_low"])
                some = bins["mass"] > 0
                assert some.sum() == len(bars[j])
                lengths = (bars[j][:, 1, 1] - bars[j][:, 0, 1]) / 2
                np.testing.assert_allclose(lengths, (bins["std_error"] / width)[some])
            for _, band in at(density, *point).groupby("band"):
                assert is_drawn(figure, band["x"], band["x"] * band["mass_density"])
            for column in ("pure_points", "continuous"):
                rows = at(density, *point)
                rows = rows[rows[column] > 0]
                assert not len(rows) or is_drawn(figure, rows["x"], rows["x"] * rows[column])

    def test_layout(self, style, data):
        assert layout_problems(fig06_spectra.draw(*data)) == []

    def test_points_that_did_not_converge_are_left_out_and_counted(self, style, data):
        histogram, density = data
        first = density.index[:3]
        density.loc[first, ["mass_density", "status"]] = [np.nan, "not converged"]
        figure = fig06_spectra.draw(histogram, density)
        assert "3 not converged" in figure.axes[0].get_title(loc="left")
        assert layout_problems(figure) == []

    @pytest.mark.parametrize("lost", ["band >= 0", "band == 0"])
    def test_whole_bands_did_not_converge(self, style, data, lost):
        histogram, density = data
        gone = density.eval(lost)
        density.loc[gone, ["mass_density", "status"]] = [np.nan, "not converged"]
        figure = fig06_spectra.draw(histogram, density)
        texts = [text.get_text() for text, _ in shown_texts(figure)]
        assert ("resolvent, $W$ averaged out" in texts) == (not gone.all())
        assert len(list(stairs_of(figure))) == 4
        assert layout_problems(figure) == []

    def test_figure_of_files(self, quick, tmp_path):
        spectra = quick.directory / "results/spectra"
        inputs = (spectra / f"{name}.parquet" for name in ("histogram", "density"))
        fig06_spectra.make_figure(*inputs, [str(tmp_path / f"a.{kind}") for kind in ("pdf", "png")])
        drawn = (quick.directory / "results/figures/fig06_spectra.png").read_bytes()
        assert (tmp_path / "a.png").read_bytes() == drawn


class TestFig07:
    @pytest.fixture
    def data(self, quick):
        lines = quick.table("spectra/contours")
        point = lines[["alpha", "beta"]].iloc[0]
        return at(quick.table("spectra/eigenvalues"), *point), lines

    def test_draws_the_tables(self, style, data):
        eigenvalues, lines = data
        figure = fig07_contour.draw(*data)
        assert is_drawn(figure, eigenvalues["eigenvalue"], 0 * eigenvalues["eigenvalue"])
        parts = lines.fillna({"first_step": -1}).groupby(["contour", "first_step"])
        assert len(parts) >= 7
        for (_, start), part in parts:
            assert is_drawn(figure, part["real"], part["imag"])
            assert start < 0 or is_drawn(figure, part["real"], -part["imag"])

    def test_shows_both_scales(self, style, data):
        figure = fig07_contour.draw(*data)
        alpha, d = data[1][["alpha", "d"]].iloc[0]
        for power in (-alpha, -2 * alpha):
            assert is_drawn(figure, [d**power, d**power], [0, 1])
        texts = [text.get_text() for text, _ in shown_texts(figure)]
        assert [text for text in texts if text.endswith(": gap")]
        assert [text for text in texts if text.endswith(": change of shape")]

    def test_layout(self, style, data):
        assert layout_problems(fig07_contour.draw(*data)) == []

    def test_layout_of_a_hundred_decades(self, style, data):
        """Alpha of 10: eigenvalues reach to 1e-110, and each decade of steps has a contour."""
        eigenvalues, lines = data
        tiny = 10.0 ** np.linspace(-110, 0, len(eigenvalues))
        first = lines[lines["first_step"] == 16]
        more = [
            first.assign(first_step=16 * 10.0**k, last_step=16 * 10.0 ** (k + 1) - 1)
            for k in range(4, 110)
        ]
        figure = fig07_contour.draw(eigenvalues.assign(eigenvalue=tiny), pd.concat([lines, *more]))
        assert layout_problems(figure) == []

    @pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (-1e-3, 2e4), (-5e-6, 5e-6)])
    def test_ticks_are_few_powers_of_ten_on_both_sides(self, low, high):
        ticks = fig07_contour.symlog_ticks(low, high, 1e-7)
        assert 0.0 in ticks and ticks == sorted(ticks)
        assert 1 <= sum(tick > 0 for tick in ticks) <= fig07_contour.MOST_TICKS + 1
        powers = np.log10(np.abs([tick for tick in ticks if tick]))
        np.testing.assert_allclose(powers, np.rint(powers), atol=1e-9)
        assert all(low <= tick <= high for tick in ticks)

    def test_figure_of_files(self, quick, tmp_path):
        spectra = quick.directory / "results/spectra"
        inputs = (spectra / f"{name}.parquet" for name in ("eigenvalues", "contours"))
        fig07_contour.make_figure(*inputs, [str(tmp_path / f"a.{kind}") for kind in ("pdf", "png")])
        drawn = (quick.directory / "results/figures/fig07_contour.png").read_bytes()
        assert (tmp_path / "a.png").read_bytes() == drawn
