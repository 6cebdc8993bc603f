"""What a search over an estimator is and does because the estimator is and does it.

Beside what scikit-learn's searches pass on (``predict`` and the like).
"""

from __future__ import annotations

import copy
from typing import Any

from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skhpo._sklearn_compat import search_estimator_has

__all__ = ["Delegation"]


class Delegation:
    """Mixin of the searches, to stand before scikit-learn's base class."""

    estimator: Any
    best_estimator_: Any
    fit: Any

    def __sklearn_tags__(self) -> Any:
        """Return the tags: those of the searched estimator, as far as data go.

        scikit-learn's searches pass on only some of them; a search over a
        transformer is one itself, and wants the input that the estimator wants.
        """
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # of the class behind
        inner = copy.deepcopy(get_tags(self.estimator))
        tags.transformer_tags = inner.transformer_tags
        tags.target_tags = inner.target_tags
        tags.input_tags = inner.input_tags
        tags.non_deterministic = inner.non_deterministic
        return tags

    @available_if(search_estimator_has("transform"))
    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Search, then transform `X` by the best estimator.

        Available if the searched estimator transforms.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Target.
        **params : dict of str to object
            As for `fit`.

        Returns
        -------
        array-like of shape (n_samples, n_features_out)
            The transformed data.
        """
        return self.fit(X, y, **params).transform(X)

    @available_if(search_estimator_has("set_output"))
    def set_output(self, *, transform: str | None = None) -> Any:
        """Choose the container of what the searched estimator returns.

        Available if the searched estimator has it.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            As in scikit-learn; None leaves it as it is.

        Returns
        -------
        self : object
            The search.
        """
        self.estimator.set_output(transform=transform)
        if hasattr(self, "best_estimator_"):
            self.best_estimator_.set_output(transform=transform)
        return self

    @available_if(search_estimator_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns that the best estimator puts out.

        Available if the searched estimator has it.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns put in, as in scikit-learn.

        Returns
        -------
        ndarray of str
            The names.
        """
        check_is_fitted(self)
        return self.best_estimator_.get_feature_names_out(input_features)

    @property
    def offset_(self) -> Any:
        """Offset between the raw scores and the decisions of an outlier detector.

        Available after ``fit``, if the best estimator has it.
        """
        if "best_estimator_" not in vars(self):
            raise AttributeError(f"This {type(self).__name__} has not been refitted.")
        return self.best_estimator_.offset_
