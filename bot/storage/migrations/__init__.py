"""The steps from one release's tables to the next, run by `wegwijs migrate`; a step never reads bot.storage.tables."""
