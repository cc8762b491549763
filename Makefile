# What CI runs. PYTHON is the interpreter of an environment with `pip install -e '.[dev]'`.
PYTHON ?= python
# Many tests start Python: what one has compiled the next can use, wherever this was switched off.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: check lint types test test-pretended test-slurm bench

check: lint types test test-pretended test-slurm

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types:
	$(PYTHON) -m mypy

test:
	$(PYTHON) -m pytest --ignore tests/slurm -n auto --dist worksteal

# Training, evaluation, checkpoints, clips, text towers, search and two processes on a GPU that is
# pretended: what a real one would refuse fails here. See tests/pretended_gpu; chosen.txt names the
# tests, of each kind of cell those that reach what the others do not.
test-pretended:
	PYTHONPATH=tests:tests/pretended_gpu/site $(PYTHON) -m pytest -p pretended_gpu.plugin \
		@tests/pretended_gpu/chosen.txt -n auto --dist worksteal

# Skipped, with the reason, where SLURM is absent; HARNESS_REQUIRE_SLURM=1 makes that a failure.
test-slurm:
	$(PYTHON) -m pytest tests/slurm -rs

# How fast; no part of what CI decides. Each suite is pytest-benchmark's; the page has the ratios.
BENCH_JSON ?= .benchmark.json
bench:
	$(PYTHON) -m pytest benchmarks -o python_files='bench_*.py' -o python_functions='bench_*' --benchmark-disable-gc --benchmark-json=$(BENCH_JSON)
	$(PYTHON) benchmarks/performance.py $(BENCH_JSON) reports/performance.md
