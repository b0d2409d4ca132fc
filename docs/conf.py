"""Configuration of the documentation: `python -m sphinx -W docs OUT`, without network, at build and at view."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import pifs_sim  # noqa: E402

project = "pifs_sim"
author = "the pifs_sim maintainers"
copyright = f"2026, {author}"
version = release = pifs_sim.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.doctest",
    "sphinx_gallery.gen_gallery",
    "extensions.pictures",
    "extensions.mathml",
    "extensions.docstrings",
    "extensions.reference",
    "extensions.ledger",
    "extensions.benchmarks",
    "extensions.measured",
    "extensions.quality",
    "extensions.accessible",
]
html_math_renderer = "mathml"
exclude_patterns = ["generated/gallery/*.ipynb", "gallery/*"]

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_use_ivar = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"pifs_sim {release}"
html_show_sourcelink = False
html_copy_source = False
html_domain_indices = False  # the general index has every name
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "generated/gallery",
    "filename_pattern": r"/\d\d_",
    "ignore_pattern": r"__init__\.py",
    "download_all_examples": False,
    "show_signature": False,
    "show_memory": False,
    "remove_config_comments": True,
    "image_scrapers": ("extensions.pictures.scraper",),
    "reset_modules": (),
    "capture_repr": ("_repr_html_",),
    "min_reported_time": 1e9,
    "within_subsection_order": "FileNameSortKey",
    "plot_gallery": "True",
    "write_computation_times": False,
    "backreferences_dir": None,
}
