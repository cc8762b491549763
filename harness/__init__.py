"""Benchmark harness for classifier-initialisation transfer studies in vision-language models."""

__version__ = "0.1.0"
