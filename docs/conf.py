"""Settings of the site: ``sphinx-build -c docs . site``; a page lies where its file does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

project = "EmoJAX"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_external_toc"]
include_patterns = ["*.md", "benchmarks/*.md", "datasets/*/*.md", "docs/**", "emojax/pretrained/**"]
exclude_patterns = [".*", "corpora", "data", "node_modules", "runs", "site"]
external_toc_path = "docs/toc.yml"
myst_heading_anchors = 4  # headings have GitHub's anchors

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
nitpicky = True
nitpick_ignore_regex = [("py:class", ".*")]  # types of other libraries have no page here

html_theme = "furo"
html_title = project
html_show_copyright = False
templates_path = ["_templates"]
html_additional_pages = {"index": "redirect.html"}
