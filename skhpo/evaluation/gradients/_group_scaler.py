"""A transformer that scales groups of columns, each by a factor that can be tuned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["GroupScaler"]

PREFIX = "log_scale__"


class GroupScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Multiply groups of columns by factors: a penalty per group, for any model.

    A penalty of ``alpha_g`` on the coefficients of a group is a factor of
    ``1 / sqrt(alpha_g)`` on its columns, under a penalty of 1. So a ridge or logistic
    regression, an elastic net or a kernel machine behind this transformer has a
    penalty, or a length-scale, per group, and the whole remains an ordinary pipeline.

    Parameters
    ----------
    groups : dict, list or None, default=None
        The columns of each group by its name: a list of positions or of names of
        columns, a slice, a range, or a mask. Columns in no group are left as they are.
        A list has groups named "0", "1" and so on. None is one group of all columns.
    log_scale : float or dict of str to float, default=0.0
        The natural logarithm of the factor of all groups, or of each by name; those
        that are not named have 0, a factor of 1. The entry of group "a" is also the
        parameter ``log_scale__a``, by which it is searched.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,)
        The factor of each column.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if they are all strings.

    See Also
    --------
    GradientSearch : Tunes many such factors at once.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skhpo import GroupScaler
    >>> scaler = GroupScaler({"a": [0, 1], "b": [2]}, log_scale={"b": 1.0})
    >>> scaler.fit_transform([[1.0, 1.0, 1.0]]).round(2)
    array([[1.  , 1.  , 2.72]])
    >>> pipeline = make_pipeline(scaler, Ridge())
    >>> pipeline.set_params(groupscaler__log_scale__a=-1.0)["groupscaler"].log_scale
    {'a': -1.0, 'b': 1.0}
    """

    _parameter_constraints: ClassVar[dict] = {
        "groups": [Mapping, list, tuple, None],
        "log_scale": [Real, Mapping],
    }

    def __init__(self, groups: Any = None, log_scale: Any = 0.0) -> None:
        self.groups = groups
        self.log_scale = log_scale

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with `deep` those of each group too.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add ``log_scale__<group>``.

        Returns
        -------
        dict of str to object
            Values by name.
        """
        params = super().get_params(deep=deep)
        if deep and isinstance(self.groups, Mapping | list | tuple):
            params |= {PREFIX + k: v for k, v in self._logs().items()}
        return params

    def set_params(self, **params: Any) -> GroupScaler:
        """Set parameters, also those of single groups.

        Parameters
        ----------
        **params : object
            Values by name.

        Returns
        -------
        self : GroupScaler
            The transformer.
        """
        own = {k: v for k, v in params.items() if not k.startswith(PREFIX)}
        super().set_params(**own)
        single = {k.removeprefix(PREFIX): params[k] for k in params.keys() - own.keys()}
        if single:
            known = self._logs()
            for name in single:
                if self.groups is None or name not in known:
                    raise ValueError(
                        f"Invalid parameter {PREFIX + name!r} for estimator {self!r}. "
                        f"Its groups are {list(known) if self.groups else None}."
                    )
            merged = {**known, **single}
            self.log_scale = {name: merged[name] for name in known}
        return self

    def fit(self, X: Any, y: Any = None) -> GroupScaler:
        """Work out the factor of each column.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The data.
        y : None
            Ignored.

        Returns
        -------
        self : GroupScaler
            The fitted transformer.
        """
        self._validate_params()
        X = validate_data(self, X, accept_sparse=["csr", "csc"], dtype=FLOATS)
        self.scale_ = np.ones(X.shape[1])
        logs = self._logs()
        self._check_logs(logs)
        taken: dict[int, str] = {}
        for name, columns in self.columns_of_groups().items():
            for j in columns:
                if taken.setdefault(int(j), name) != name:
                    raise ValueError(
                        f"Column {int(j)} is in group {taken[int(j)]!r} and in group "
                        f"{name!r}. Each column may be in one of the groups."
                    )
            self.scale_[columns] = math.exp(logs[name])
        return self

    def transform(self, X: Any) -> Any:
        """Multiply the columns.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The data.

        Returns
        -------
        ndarray or sparse matrix of the same shape
            The columns times their factors.
        """
        check_is_fitted(self)
        X = validate_data(
            self, X, accept_sparse=["csr", "csc"], dtype=FLOATS, reset=False
        )
        return _times(X, self.scale_)

    def inverse_transform(self, X: Any) -> Any:
        """Divide the columns by their factors.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Transformed data.

        Returns
        -------
        ndarray or sparse matrix of the same shape
            The data.
        """
        check_is_fitted(self)
        X = check_array(X, accept_sparse=["csr", "csc"], dtype=FLOATS)
        return _times(X, 1 / self.scale_)

    def columns_of_groups(self) -> dict[str, Any]:
        """Return the positions of the columns of each group, of a fitted scaler.

        Returns
        -------
        dict of str to ndarray of int
            By the name of the group; that of all columns is "".
        """
        n = self.n_features_in_
        if self.groups is None:
            return {"": np.arange(n)}
        names = getattr(self, "feature_names_in_", None)
        named = self._named_groups()
        return {name: _positions(name, c, n, names) for name, c in named.items()}

    def _named_groups(self) -> dict[str, Any]:
        if self.groups is None:
            return {"": slice(None)}
        if isinstance(self.groups, Mapping):
            return {str(name): columns for name, columns in self.groups.items()}
        return {str(i): columns for i, columns in enumerate(self.groups)}

    def _logs(self) -> dict[str, Any]:
        """Return the logarithm of the factor of each group."""
        names = self._named_groups()
        if isinstance(self.log_scale, Mapping):
            return {name: self.log_scale.get(name, 0.0) for name in names}
        return dict.fromkeys(names, self.log_scale)

    def _check_logs(self, logs: Mapping[str, Any]) -> None:
        if isinstance(self.log_scale, Mapping):
            unknown = [name for name in self.log_scale if name not in logs]
            if unknown:
                raise ValueError(
                    f"log_scale has groups that are none: {unknown}. Groups are "
                    f"{list(logs)}."
                )
        for name, value in logs.items():
            if not isinstance(value, Real) or not abs(float(value)) < LARGEST:
                raise ValueError(
                    f"The log_scale of group {name!r} must be a number between "
                    f"-{LARGEST:g} and {LARGEST:g}. Got {value!r}."
                )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


FLOATS = (np.float64, np.float32)
LARGEST = 300.0  # its exponential, squared, is still a float


def _times(X: Any, scale: Any) -> Any:
    """Return the columns times their factors, in the type and format of X."""
    factors = scale.astype(X.dtype)
    if hasattr(X, "asformat"):
        return X.multiply(factors).asformat(X.format)
    return X * factors


def _positions(name: str, columns: Any, n: int, names: Any) -> Any:
    """Return columns, however they are given, as positions."""
    wrong = ValueError(
        f"Group {name!r} must be positions of the {n} columns, names of them, a slice "
        f"or a mask. Got {columns!r}."
    )
    if not isinstance(columns, slice):
        columns = list(columns) if not isinstance(columns, str) else [columns]
        if columns and all(isinstance(c, str) for c in columns):
            if names is None or not set(columns) <= set(names):
                raise wrong
            columns = [list(names).index(c) for c in columns]
    try:
        return np.arange(n)[columns] if columns != [] else np.arange(0)
    except (IndexError, TypeError):
        raise wrong from None
