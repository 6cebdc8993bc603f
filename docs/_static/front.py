"""Draw `front.svg`, the picture of the front page: `python docs/_static/front.py`.

A search on real data. The picture has no background, and colors that are seen on white
and on black.
"""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from skhpo import BayesSearch

GRAY, BLUE = "#888888", "#2e86de"

X, y = load_diabetes(return_X_y=True)
search = BayesSearch(
    make_pipeline(StandardScaler(), SVR()),
    {
        "svr__C": loguniform(1e-2, 1e4),
        "svr__gamma": loguniform(1e-5, 1),
        "svr__epsilon": loguniform(1e-2, 1e2),
    },
    n_iter=40,
    random_state=0,
).fit(X, y)
scores = search.cv_results_["mean_test_score"]

matplotlib.rcParams.update({"svg.hashsalt": "skhpo", "font.size": 11})
for name in (
    "text.color",
    "axes.labelcolor",
    "axes.edgecolor",
    "xtick.color",
    "ytick.color",
):
    matplotlib.rcParams[name] = GRAY
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
number = np.arange(len(scores))
low = -0.05
ax.scatter(
    number, np.maximum(scores, low), s=22, color=GRAY, alpha=0.8, label="a candidate"
)
ax.step(
    number,
    np.maximum.accumulate(scores),
    where="post",
    color=BLUE,
    lw=2.5,
    label="the best so far",
)
ax.set(xlabel="candidate", ylabel="mean test score (R2)", ylim=(low - 0.02, None))
ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.97), ncols=2)
ax.spines[["top", "right"]].set_visible(False)
figure.savefig(
    Path(__file__).with_suffix(".svg"), transparent=True, metadata={"Date": None}
)
