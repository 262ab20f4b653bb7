"""Statuses: what becomes of a point of the plane, a budget or an exponent at it, or of a task."""

OK = "ok"
NO_POWER_LAW = "no power law"  # 2(alpha+beta) < 1
EDGE = "edge: no exponents"  # 2(alpha+beta) = 1
NO_MINIMUM = "no minimum"  # the best size is out of the range in which it is looked for
DIVERGES = "diverges"  # SGD does, at all sizes
BELOW = "below"  # the critical batch is below all that can be compared
UNCERTAIN = "tail sums are not certain enough"  # for the beta of a measured task
FROM_THE_START = "from the start"  # an exponent is close to the theory at all budgets
BEYOND = "beyond"  # it is not yet at the last one
JUMPS = "theory jumps"  # there is no exponent to compare with
TOO_FEW = "too few budgets"  # have a front, up to the last one
REFUSED = "refused"  # a fit to losses, for a reason that is told
NOT_CONVERGED = "not converged"  # a loss could not be computed: a failure of the numerics

# What the model itself may be like. Anything else fails the check of the results.
SOUND = (
    *(OK, NO_POWER_LAW, EDGE, NO_MINIMUM, BELOW, DIVERGES, UNCERTAIN),
    *(FROM_THE_START, BEYOND, JUMPS, TOO_FEW, REFUSED),
)
