"""
Tune anything: ask and tell in your own loop
============================================

The optimizers know nothing of estimators: ask for candidates, measure them however you
like, tell what came out. Here is a function with two hills to climb.
"""

import matplotlib.pyplot as plt
import numpy as np

from skhpo.optimizers import BayesOptimizer, Trial
from skhpo.space import Real, SearchSpace


def height(x, y):
    """A broad hill, and a narrow one that is higher."""
    broad = np.exp(-((x - 0.3) ** 2 + (y - 0.3) ** 2) / 0.1)
    narrow = 1.5 * np.exp(-((x - 0.8) ** 2 + (y - 0.7) ** 2) / 0.03)
    return broad + narrow


space = SearchSpace({"x": Real(0, 1), "y": Real(0, 1)})
optimizer = BayesOptimizer(space, random_state=1)
points, heights = [], []
for _ in range(40):
    (candidate,) = optimizer.ask(1)
    point = candidate.params
    score = float(height(**point))
    optimizer.tell([Trial.from_scores(candidate, (score,))])
    points.append([point["x"], point["y"]])
    heights.append(score)
print(f"highest: {max(heights):.3f} of 1.5")

# %%
# Dark dots came early, bright ones late.
grid = np.linspace(0, 1, 60)
xx, yy = np.meshgrid(grid, grid)
fig, ax = plt.subplots(figsize=(5.4, 4.4), layout="constrained")
ax.contour(xx, yy, height(xx, yy), levels=12, colors="0.7", linewidths=0.8)
dots = ax.scatter(*np.transpose(points), c=np.arange(len(points)), cmap="plasma", s=28)
ax.set(xlabel="x", ylabel="y", aspect="equal")
_ = fig.colorbar(dots, label="number of the candidate")
