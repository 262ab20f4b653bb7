# `make help` lists the targets.  On a machine whose python3 is too old, name another one:
# make PYTHON=python3.12
PYTHON ?= python3
CORES ?= all
CONFIG ?= config/config.yaml

STAMP := .venv/.installed
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH"

.PHONY: figures report gallery test test-faults test-slurm lint readme archive resources benchmarks docs help

figures: $(STAMP)  ## run the workflow: every figure and table (also CORES=2, CONFIG=my.yaml)
	@test -f "$(CONFIG)" || { echo "There is no configuration file $(CONFIG)" >&2; exit 1; }
	@$(RUN) snakemake --cores $(CORES) --configfile "$(CONFIG)"

report: $(STAMP)  ## write results/report.html: all figures and tables of a finished run, with captions
	@test -f "$(CONFIG)" || { echo "There is no configuration file $(CONFIG)" >&2; exit 1; }
	@$(RUN) snakemake --configfile "$(CONFIG)" --report results/report.html \
	  --report-stylesheet workflow/report/style.css

gallery: report  ## write docs/gallery.md and the pictures in docs/img from the report
	@$(RUN) python scripts/gallery.py

test: $(STAMP)  ## run the tests
	@$(RUN) pytest --numprocesses 2 --dist loadfile

test-faults: $(STAMP)  ## run the tests that kill jobs, damage files and fill disks
	@$(RUN) pytest -m faults

test-slurm: $(STAMP)  ## run the workflow on a Slurm of one node; as root, installs it on a Debian
	@$(RUN) pytest -m slurm tests/slurm

lint: $(STAMP)  ## check style, types and the workflow
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy
	@$(RUN) snakefmt --check workflow
	@$(RUN) snakemake --lint

readme: $(STAMP)  ## write the numbers of the last default run into README.md, the schema into config/README.md
	@$(RUN) python -m scripts.update_readme
	@$(RUN) python scripts/document_config.py

archive: $(STAMP)  ## pack results, configuration and provenance, with checksums, for a repository
	@test -f "$(CONFIG)" || { echo "There is no configuration file $(CONFIG)" >&2; exit 1; }
	@$(RUN) snakemake archive --cores $(CORES) --configfile "$(CONFIG)"

resources: $(STAMP)  ## write what jobs asked for and used in the last run into docs/hpc.md
	@$(RUN) python -m scripts.compare_resources

benchmarks: $(STAMP)  ## measure the numerical core, and write the ratios into docs/numerics.md
	@$(RUN) python -m benchmarks.numerics

docs: $(STAMP)  ## render the library's documentation into docs/api
	@$(RUN) python docs/render_api.py

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

# The stamp is written last, so that an interrupted installation starts again from an empty .venv.
$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "plrf needs Python >= 3.11, but PYTHON=$(PYTHON) is: $$($(PYTHON) --version 2>&1)" >&2; \
	  echo "Name another one, for example: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing the pinned requirements into .venv (about a minute) ..."
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check \
	  --no-build-isolation --no-deps -e .
	@touch $@
