"""What pages of classes have beside their docstrings: groups, and examples.

``{parameter-groups} BayesSearch`` lists the parameters of a search by what they are
for; ``{examples-using} skhpo.BayesSearch`` the pictures of examples, if there are any.
"""

import inspect
import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx_gallery.directives import MiniGallery

import skhpo

GROUPS = {
    "What is searched": (
        "estimator param_grid param_distributions bounds n_levels constraints mutable "
        "frozen"
    ),
    "How": (
        "n_iter sampling strategy surrogate acquisition cost_aware n_initial "
        "initial_params prior_results n_pending asynchronous zoom method n_restarts "
        "max_iter tol random_state"
    ),
    "The population": (
        "population_size n_generations steps_per_generation quantile "
        "resample_probability perturb_factors exploit explore burn_in batch_size "
        "n_generations_no_change"
    ),
    "What is measured, and how the best is chosen": (
        "scoring cv refit error_score return_train_score return_oof finalists "
        "finalist_repeats"
    ),
    "For less": (
        "reuse race resource min_resources max_resources factor aggressive_elimination "
        "n_brackets"
    ),
    "Limits, interruptions and crashes": (
        "journal time_budget stop fit_timeout memory_limit"
    ),
    "Computing, and what is said of it": "n_jobs pre_dispatch verbose",
}


class ParameterGroups(Directive):
    """The parameters of a class, by what they are for."""

    required_arguments = 1

    def run(self):
        """Return a list of definitions; none for what is no search."""
        names = inspect.signature(getattr(skhpo, self.arguments[0])).parameters
        groups = {title: text.split() for title, text in GROUPS.items()}
        missing = set(names).difference(*groups.values())
        if missing:
            raise self.error(f"In no group of class_pages.py: {sorted(missing)}.")
        listed = nodes.definition_list(classes=["parameter-groups"])
        for title, members in groups.items():
            own = [name for name in members if name in names]
            if own:
                listed += _item(title, own)
        return [nodes.rubric("", "Parameters by what they are for"), listed]


def _item(title, names):
    text = nodes.paragraph()
    for name in names:
        text += [nodes.literal("", name), nodes.Text("  ")]
    definition = nodes.definition("", text)
    return nodes.definition_list_item("", nodes.term("", title), definition)


class ExamplesUsing(MiniGallery):
    """The examples that use an object, under a heading of their own."""

    def run(self):
        """Return nothing where there is none."""
        environment = self.state.document.settings.env
        folder = environment.config.sphinx_gallery_conf["backreferences_dir"]
        file = Path(environment.srcdir, folder, "backreferences_all.json")
        if not json.loads(file.read_text(encoding="utf-8")).get(self.arguments[0]):
            return []
        return [nodes.rubric("", "Examples"), *super().run()]


def setup(app):
    """Offer both to Sphinx."""
    app.add_directive("parameter-groups", ParameterGroups)
    app.add_directive("examples-using", ExamplesUsing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
