"""Worker processes do not look for garbage in what they have imported."""

import gc

from joblib import Parallel, delayed
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier

from skhpo import GridSearch


def test_workers_leave_their_imports_out_of_collections_and_this_process_does_not():
    """Modules are never garbage; of this process, that is not for us to say."""
    before = gc.get_freeze_count()
    grid = {"constant": [0, 1, 2]}
    GridSearch(DummyClassifier(), grid, n_jobs=2).fit(*load_iris(return_X_y=True))
    with Parallel(2) as parallel:
        counts = parallel(delayed(gc.get_freeze_count)() for _ in range(8))
    assert max(counts) > 10_000
    assert gc.get_freeze_count() == before
