"""The steps lead to the tables of this release, on both databases; a step is never forgotten."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.storage import migrate, tables
from bot.storage.database import Database
from bot.storage.vault import Vault


def test_the_steps_make_the_tables(database_url: str, vault: Vault) -> None:
    database = Database(database_url, vault)
    try:
        assert not database.read_now(migrate.is_current)
        database.run_now(migrate.upgrade)
        assert database.read_now(migrate.is_current)

        def differences(db):
            context = MigrationContext.configure(db, opts={"compare_type": True})
            return [change for change in compare_metadata(context, tables.METADATA) if change[0] != "modify_type"]

        assert database.read_now(differences) == []
        database.run_now(migrate.upgrade)
    finally:
        database.close()


def test_the_head_is_the_newest_step(sqlite: Database) -> None:
    script = sqlite.read_now(lambda db: ScriptDirectory.from_config(migrate.config(db)))
    assert script.get_heads() == [migrate.HEAD]
