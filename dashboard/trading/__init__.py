"""Runners: strategies that trade on paper."""
