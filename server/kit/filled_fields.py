"""A new column for a table that has rows already."""

from typing import Any

from tortoise.migrations import operations as ops


class FilledField(ops.AddField):
    """Rows that stand get the field's default: Tortoise 1.1.9 adds a NOT NULL column without one, and
    PostgreSQL refuses that for any table that is not empty."""

    async def database_forward(
        self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None
    ) -> None:
        if not state_editor:
            return
        model = new_state.apps.get_model(f"{app_label}.{self.model_name}")
        field = model._meta.fields_map[self.name]
        table, column = model._meta.db_table, field.source_field or self.name
        kind = field.get_for_dialect("postgres", "SQL_TYPE")
        await state_editor._run_sql(
            f'ALTER TABLE "{table}" ADD COLUMN "{column}" {kind} NOT NULL DEFAULT {_literal(field.default)}'
        )
        await state_editor._run_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" DROP DEFAULT')


def _literal(value: bool | int | str) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).upper() if isinstance(value, bool) else str(value)
