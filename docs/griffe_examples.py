"""Lets the site show our `Example:` as code, which its docstring style calls `Examples:`."""

import re
from typing import Any

import griffe


class ExamplesSection(griffe.Extension):
    """Renames the heading in every docstring."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rename it in one; called by griffe."""
        if obj.docstring is not None:
            text = obj.docstring.value
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
