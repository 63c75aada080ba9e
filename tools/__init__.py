"""Commands for those who work on the project; the bot must not import them."""
