"""A schedule of the batch: it grows in stages (model section 10)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import whole_number

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

LARGEST_GROWTH = 2**20  # sums over 10^12 steps are whole numbers


@dataclass(frozen=True)
class BatchGrowth:
    """A batch that grows by a factor after each of several stages of equal length.

    Gradients are summed over the batch, and the rate falls as the batch grows: their product, c of
    the scaling rule, stays.

    Attributes
    ----------
    factor : int
        At least 2.
    stages : int
        Parts of the horizon, at least 2.
    """

    relative: ClassVar[bool] = True
    factor: int = 2
    stages: int = 4

    def __post_init__(self) -> None:
        for name in ("factor", "stages"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least=2))
        if float(self.factor) ** (self.stages - 1) > LARGEST_GROWTH:
            raise ValueError(
                f"stages = {self.stages}: a batch must not grow by more than {LARGEST_GROWTH}, as "
                f"with factor = {self.factor}"
            )

    @property
    def parts(self) -> int:
        """The stages."""
        return self.stages

    @property
    def power_from(self) -> int | None:
        """Never."""
        return None

    def _starts(self, horizon: int) -> Steps:
        """First step of each stage."""
        return -(-np.arange(self.stages) * horizon // self.stages)

    def rate(self, steps: Steps, horizon: int) -> Array:
        """One over the growth of the batch."""
        return 1 / self.growth(steps, horizon)

    def growth(self, steps: Steps, horizon: int) -> Steps:
        """Power of the factor."""
        stage = np.searchsorted(self._starts(horizon), steps, side="right") - 1
        grown: Steps = np.int64(self.factor) ** stage
        return grown

    def summed_growth(self, steps: Steps, horizon: int) -> Steps:
        """Sum over stages of their batch times their steps."""
        starts = self._starts(horizon)
        ends = np.append(starts[1:], np.iinfo(np.int64).max)
        spent = np.clip(steps[..., None], starts, ends) - starts
        total: Steps = spent @ np.int64(self.factor) ** np.arange(self.stages)
        return total
