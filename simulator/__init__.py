"""A stand-in for Telegram for tests, the demo and benchmarks; it must not know the bot, nor reach the network."""
