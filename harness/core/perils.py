"""Perils that a user may accept by name: `allow: [shared_classes]` in a task.

Each is a situation in which a number would not mean what its heading says, or could not be compared
with the others. It is refused, or ends the cell as failed, unless the task accepts it; the report
prints what was accepted.
"""

from __future__ import annotations

from collections.abc import Mapping

SHARED_CLASSES = "shared_classes"
EQUAL_TEXTS = "equal_texts"
LARGER_SEARCH = "larger_search"

#: Name -> what a report says of a task that accepts it.
PERILS: Mapping[str, str] = {
    SHARED_CLASSES: (
        "classes that are tested as zero-shot may have been trained on under the same name"
    ),
    EQUAL_TEXTS: "classes may have equal text embeddings, so that no classifier tells them apart",
    LARGER_SEARCH: (
        "methods may search more settings than the common budget of 16, so that rows do not have "
        "equal budgets"
    ),
}
