"""Paths: one fit that serves many values of a parameter, exactly."""
