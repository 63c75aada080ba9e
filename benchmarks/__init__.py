"""Measurements, one command each; every one prints a table and none of them is a test."""
