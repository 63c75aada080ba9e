"""The only folder that knows Telegram: one module per engine, and what every engine reads and writes alike."""
