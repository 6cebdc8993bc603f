"""What a fitted search shows of itself: data frames, and HTML in notebooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.utils.validation import check_is_fitted

from skhpo._printable import scoring_name
from skhpo._trial import Params
from skhpo.search.feedback._frame import candidate_frame, split_frame
from skhpo.search.feedback._html import summary_html

__all__ = ["Summary"]


class Summary:
    """Mixin of the searches, to stand before scikit-learn's base class."""

    cv_results_: dict[str, Any]
    multimetric_: bool
    refit: Any
    _row_name = "candidate"

    @property
    def results_(self) -> Any:
        """What is in ``cv_results_`` as a data frame, best candidate first.

        A row per candidate, indexed by its row in ``cv_results_`` and sorted by rank.
        Columns of numbers, booleans and strings have their types, also where some
        candidates do not have a parameter. The scores of single splits are in
        `split_results`. It is made anew at each access, and needs pandas: without it,
        there is no such attribute.
        """
        # AttributeError, not ImportError: who looks through all attributes, as
        # scikit-learn's HTML does, expects that of a property which is not available.
        _check_pandas("results_", AttributeError)
        check_is_fitted(self, "cv_results_")
        return candidate_frame(self.cv_results_, self._metric())

    def split_results(self) -> Any:
        """Return the scores of every candidate on every split as a data frame.

        Returns
        -------
        pandas.DataFrame
            A row per candidate and split, sorted by rank: ``candidate`` (its row in
            ``cv_results_``), ``rank``, ``split``, one column for each parameter,
            ``test_score`` and, if asked for, ``train_score``; by the names of the
            metrics, if there are several.

        Raises
        ------
        ImportError
            If pandas is missing.
        NotFittedError
            If the search is not fitted.
        """
        _check_pandas("split_results", ImportError)
        check_is_fitted(self, "cv_results_")
        return split_frame(self.cv_results_, self._metric())

    def _metric(self) -> str:
        """Return the metric that decides: the one `refit` names, or the first."""
        if self.multimetric_ and isinstance(self.refit, str):
            return self.refit
        start = "rank_test_"
        return next(
            name.removeprefix(start)
            for name in self.cv_results_
            if name.startswith(start)
        )

    def _shown_params(self) -> Params:
        """Return the parameters of the best candidate as they are shown."""
        best: Any = self
        return best.best_params_

    def _remarks(self) -> list[str]:
        """Return what else is to be said of what was found."""
        return []

    def _summarized(self, diagram: str) -> str:
        """Return scikit-learn's diagram below what the search found, if anything."""
        if not hasattr(self, "cv_results_") or not hasattr(self, "best_index_"):
            return diagram
        best: Any = self
        found = summary_html(
            self.cv_results_,
            self._metric(),
            self._shown_params(),
            best.best_index_,
            self._remarks(),
            shown_as=scoring_name(self, self._metric()),
            what=self._row_name,
        )
        return found + self._suggested() + diagram

    def _suggested(self) -> str:
        """Return the space that was suggested, to be unfolded; empty if none was."""
        space = getattr(self, "space_", None)
        if space is None:
            return ""
        n = len(space.suggestions)
        what = f"suggested space: {n} parameter{'' if n == 1 else 's'}"
        return f"<details><summary>{what}</summary>{space._repr_html_()}</details>"

    @property
    def _repr_html_(self) -> Callable[[], str]:
        """What notebooks call; missing if scikit-learn is set to show text."""
        diagram = super()._repr_html_  # type: ignore[misc]  # of the class behind
        return lambda: self._summarized(diagram())

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        if "text/html" in bundle:
            bundle["text/html"] = self._summarized(bundle["text/html"])
        return bundle


def _check_pandas(name: str, error: type[Exception]) -> None:
    try:
        import pandas  # noqa: F401 - only whether it is there
    except ImportError as reason:
        raise error(
            f"'{name}' is a data frame of pandas, which cannot be imported ({reason}). "
            "Install it with: pip install pandas. 'cv_results_' has the same numbers."
        ) from None
