"""Wegwijs: a messaging bot that a city gives to people who have just arrived in it."""
