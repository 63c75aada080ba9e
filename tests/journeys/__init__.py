"""Journeys of people over real HTTP."""
