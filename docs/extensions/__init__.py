"""What Sphinx needs to show this project: formulas, the reference, generated tables, pictures of the gallery."""
