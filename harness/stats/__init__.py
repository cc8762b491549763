"""Tests, intervals and power. Knows outcomes only, never how they were made; scipy comes late."""
