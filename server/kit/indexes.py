"""An index over the rows that something is still to be done with."""

from typing import Any

from tortoise.contrib.postgres.indexes import PostgreSQLIndex


class IndexWhere(PostgreSQLIndex):
    """Tortoise's own partial index knows no other condition than `=`."""

    def __init__(self, *, fields: tuple[str, ...] | list[str], name: str, where: str) -> None:
        super().__init__(fields=fields, name=name)
        self.where = where
        self.extra = f" WHERE {where}"

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, kwargs | {"where": self.where}


class GinWhere(IndexWhere):
    """The same over what lists hold."""

    INDEX_TYPE = "GIN"
