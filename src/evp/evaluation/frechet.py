"""Whether made pictures are distributed like real ones, as a network sees them."""

import numpy as np
from numpy.typing import NDArray


def frechet_distance(made: NDArray[np.floating], real: NDArray[np.floating]) -> float:
    """Distance of two sets of features (N, D) taken for normal distributions (Heusel et al. 2017: FID).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2). The covariances are never formed: with C = A^T A the last trace is the
    sum of the singular values of A1 A2^T, exact also for fewer pictures than features. Raises ValueError for fewer
    than two pictures.
    """
    if min(len(made), len(real)) < 2:
        raise ValueError("a distribution needs two pictures at least")
    a, b = (
        (values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)) / np.sqrt(len(values) - 1)
        for values in (made, real)
    )
    apart = made.mean(axis=0, dtype=np.float64) - real.mean(axis=0, dtype=np.float64)
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(max(apart @ apart + (a**2).sum() + (b**2).sum() - 2 * shared, 0.0))
