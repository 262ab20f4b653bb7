"""Whether momentum outscales SGD: measured exponents beside the heuristic ones (section 14)."""

import numpy as np
import pandas as pd

CLOSE = 0.01  # exponents that differ by no more are the same, if their errors are smaller
CONFIRMED = "confirmed"
NOT_ASYMPTOTIC = "not yet asymptotic"
NOT_SEEN = "not seen"
NOT_MEASURED = "not measured"
POINT = ["alpha", "beta"]


def verdict(gain: np.ndarray, error: np.ndarray, heuristic: float) -> str:
    """What gains at rising budgets say of a heuristic one.

    Gains are judged, not exponents: what is not asymptotic in SGD itself cancels.

    Parameters
    ----------
    gain, error : arrays, shape (n,)
        Gains in eta over SGD and their errors.
    heuristic : float
        The gain that is expected.

    Returns
    -------
    str
        "not measured" if the last gain is not, or not to 0.01; "confirmed" if it is within 0.01 or
        twice its error; else "not yet asymptotic" if from the budget before it came closer by more
        than the errors, and "not seen" if not: at larger budgets another minimum of the loss over
        sizes may be the lowest.
    """
    if not gain.size or not error[-1] <= CLOSE or not np.isfinite(gain[-1]):
        return NOT_MEASURED
    there = np.isfinite(gain)
    gain, error = gain[there], error[there]
    apart = np.abs(gain - heuristic)
    if apart[-1] <= max(CLOSE, 2 * error[-1]):
        return CONFIRMED
    closer = gain.size > 1 and apart[-2] - apart[-1] > error[-2] + error[-1]
    return NOT_ASYMPTOTIC if closer else NOT_SEEN


def with_gains(fronts: pd.DataFrame) -> pd.DataFrame:
    """Add what each algorithm gains over SGD at the same point and budget.

    Parameters
    ----------
    fronts : DataFrame
        Rows of the MOMENTUM_FRONTS schema.

    Returns
    -------
    DataFrame
        Also with ``gain``, ``gain_error`` and ``gain_heuristic`` of eta, and ``loss_ratio``, P*
        over that of SGD.
    """
    keys = [*POINT, "flops"]
    plain = fronts[fronts["algorithm"] == "sgd"].set_index(keys)
    own = plain[["eta", "eta_error", "eta_heuristic", "loss"]].add_suffix("_sgd")
    rows = fronts.join(own, on=keys)
    return rows.assign(
        gain=rows["eta"] - rows["eta_sgd"],
        gain_heuristic=rows["eta_heuristic"] - rows["eta_heuristic_sgd"],
        gain_error=rows["eta_error"] + rows["eta_error_sgd"],
        loss_ratio=rows["loss"] / rows["loss_sgd"],
    )


def verdicts(fronts: pd.DataFrame) -> pd.DataFrame:
    """Verdict on each algorithm at each point, with the exponents at the highest budget.

    Parameters
    ----------
    fronts : DataFrame
        Rows of the MOMENTUM_FRONTS schema.
    """
    found = []
    rows = with_gains(fronts).sort_values("flops")
    for _, own in rows.groupby([*POINT, "algorithm"], sort=False):
        last = own.iloc[-1].to_dict()
        columns = own["gain"].to_numpy(), own["gain_error"].to_numpy()
        found.append(last | {"verdict": verdict(*columns, last["gain_heuristic"])})
    return pd.DataFrame(found)
