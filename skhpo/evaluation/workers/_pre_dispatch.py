"""How many tasks may be in flight, as joblib's ``pre_dispatch`` says it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import cache
from typing import Any

__all__ = ["evaluate_pre_dispatch"]


@cache  # asked for once or twice per block, which may be a single fit
def evaluate_pre_dispatch(pre_dispatch: int | str, n_workers: int) -> int:
    if pre_dispatch == "all":
        return n_workers + 2
    if isinstance(pre_dispatch, str):
        text = pre_dispatch.replace("n_jobs", str(n_workers))
        try:
            return int(_evaluate(ast.parse(text, mode="eval").body))
        except (ArithmeticError, KeyError, SyntaxError, TypeError) as error:
            raise ValueError(
                f"pre_dispatch={pre_dispatch!r} is no arithmetic of numbers and "
                "n_jobs, such as '2*n_jobs'."
            ) from error
    return int(pre_dispatch)


OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def _evaluate(node: ast.AST) -> float:
    """Return the value of an arithmetic expression."""
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_evaluate(node.left), _evaluate(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return node.value
    raise TypeError
