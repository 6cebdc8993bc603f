"""Settings of the documentation: `sphinx-build -n -W docs docs/_build/html`."""

import sys
from pathlib import Path

from skhpo import __version__

sys.path.insert(0, str(Path(__file__).parent))  # for our own extensions

project = "skhpo"
author = "The skhpo developers"
copyright = "2026, The skhpo developers"
release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.intersphinx",
    "charts",
    "class_pages",
    "mathml",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "changes", "examples"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3  # links to headings, as Markdown readers expect them

html_theme = "pydata_sphinx_theme"
html_title = "skhpo"
html_context = {"default_mode": "auto"}  # light or dark, as the browser says
html_math_renderer = "mathml"
html_theme_options = {"show_prev_next": True}
html_show_sourcelink = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_sidebars = {"benchmarks": [], "install": []}  # nothing to navigate there

toc_object_entries_show_parents = "hide"  # "fit()" fits in the sidebar
autodoc_typehints = "none"  # the docstrings say the types, in words
numpydoc_show_class_members = False  # the template of classes shows them

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "doc_module": "skhpo",
    "backreferences_dir": "gallery/backreferences",
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "min_reported_time": 600,  # nothing that differs between two builds
}

# The build must work offline, and an inventory that cannot be fetched is a warning,
# which is an error here. So what these pages name of scikit-learn stands in a list
# beside them.
intersphinx_mapping = {
    "sklearn": ("https://scikit-learn.org/stable/", "sklearn_inventory.txt")
}
# What other packages document is not looked up.
nitpick_ignore_regex = [
    (r"py:.*", r"(joblib|numpy|scipy)\..*"),
    # Properties that searches inherit from scikit-learn, whose words come with them.
    (r"py:obj", r"classes_|n_features_in_"),
    (r"std:term", r"fit"),
    # How Python describes the methods of a Sequence, of which `OutOfFold` is one.
    (r"py:class", r"integer -- return .*"),
]
