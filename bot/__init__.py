"""The bot: everything between Telegram and the database; what it says is in handlers, locales and content."""
