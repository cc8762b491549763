"""Published numbers of others. A report lists them below its own and never tests them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

from harness.core.errors import BadInput, UnknownName
from harness.core.text_files import decoded


@dataclass(frozen=True)
class Published:
    """One published number, in the unit of its column (points if the column names none)."""

    table: str
    title: str
    row: str
    column: str
    value: float
    protocol: str
    deviation: str
    source: str


def names() -> list[str]:
    """Files of baselines/published, without their ending."""
    folder = resources.files("baselines") / "published"
    return sorted(
        f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")
    )


def read_published(name: str) -> tuple[Published, ...]:
    """Every number of baselines/published/<name>.yaml, in the order of the file.

    Raises UnknownName, with the nearest name, or BadInput for a file that does not have the shape
    `source, tables: {table: {title, protocol, deviation, columns, rows: {row: [values]}}}`,
    or `take: {other file: [tables]}`.
    """
    import yaml

    known = names()
    if name not in known:
        raise UnknownName("file of published numbers", name, known)
    content = (resources.files("baselines") / "published" / f"{name}.yaml").read_bytes()
    try:
        data = yaml.safe_load(decoded(content))
        out = _numbers(data)
        for other, tables in data.get("take", {}).items():
            taken = [n for n in read_published(other) if n.table in tables]
            if missing := set(tables) - {n.table for n in taken}:
                raise ValueError(f"{other} has no {', '.join(sorted(missing))}")
            out += taken
        return tuple(out)
    except (KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        raise BadInput(
            f"baselines/published/{name}.yaml does not have the expected shape: {error!r}"
        ) from error


def _numbers(data: dict[str, Any]) -> list[Published]:
    out = []
    for table, block in data.get("tables", {}).items():
        columns = block["columns"]
        for row, values in block["rows"].items():
            for column, value in zip(columns, values, strict=True):
                if value is None:  # printed as a dash
                    continue
                out.append(
                    Published(
                        table=str(table),
                        title=block["title"],
                        row=str(row),
                        column=str(column),
                        value=float(value),
                        protocol=" ".join(block["protocol"].split()),
                        deviation=" ".join(block["deviation"].split()),
                        source=block.get("source", data["source"]),
                    )
                )
    return out
