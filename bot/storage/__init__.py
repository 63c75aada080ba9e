"""The database: tables, transactions, sealing, migrations; it must not know what anything means."""
