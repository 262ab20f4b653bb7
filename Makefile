# `make help` lists the targets.  On a machine whose python3 is too old, name another one:
# make PYTHON=python3.12
PYTHON ?= python3
CORES ?= all
CONFIG ?= config/config.yaml
STD_ERROR ?= 0.01
# Recipes read them from the environment, where spaces and quotes do no harm.
export PYTHON CONFIG STD_ERROR

# Modules, since commands of .venv/bin name the folder in which they were installed.
RUN := .venv/bin/python -m
STAMP := .venv/.installed
# Snakemake fails on a configuration that it cannot read before it reads the Snakefile.
CHECK := $(RUN) plrf.study.text "$$CONFIG"

.PHONY: figures advice report gallery test test-faults test-slurm lint readme archive resources benchmarks docs help

# The stamp says for which folder and Python it is: a clone that was moved or copied, or whose Python
# was replaced, is installed anew.
PLACE := .venv/bin/python -c 'import os, sys; print(ascii(os.getcwd()), sys.version_info[:2])'
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(shell $(PLACE) 2>/dev/null || echo none))
.PHONY: $(STAMP)
endif

figures: $(STAMP)  ## run the workflow: every figure and table (also CORES=2, CONFIG=my.yaml)
	@$(CHECK)
	@$(RUN) snakemake --cores $(CORES) --configfile "$$CONFIG"

advice: $(STAMP)  ## say which errors a configuration will give, and propose sizes and runs (also STD_ERROR=0.02)
	@$(CHECK)
	@$(RUN) scripts.maintain.advise "$$CONFIG" "$$STD_ERROR"

report: $(STAMP)  ## write results/report.html: all figures and tables of a finished run, with captions
	@$(CHECK)
	@$(RUN) snakemake --configfile "$$CONFIG" --report results/report.html \
	  --report-stylesheet workflow/report/style.css

gallery: report  ## write docs/gallery.md and the pictures in docs/img from the report
	@$(RUN) scripts.maintain.gallery

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

readme: $(STAMP)  ## write the numbers of the last default run into README.md and docs, the schema into config/README.md
	@$(RUN) scripts.maintain.update_readme
	@$(RUN) scripts.maintain.update_algorithms
	@$(RUN) scripts.maintain.update_atlas
	@$(RUN) scripts.maintain.document_config

archive: $(STAMP)  ## pack results, configuration and provenance, with checksums, for a repository
	@$(CHECK)
	@$(RUN) snakemake archive --cores $(CORES) --configfile "$$CONFIG"

resources: $(STAMP)  ## write what jobs asked for and used in the last run into docs/hpc.md
	@$(RUN) scripts.maintain.compare_resources

benchmarks: $(STAMP)  ## measure the numerical core, and write the ratios into docs/numerics.md
	@$(RUN) benchmarks.numerics

docs: $(STAMP)  ## render the library's documentation into docs/api
	@$(RUN) docs.render_api

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

# The stamp is written last, so that an interrupted installation starts again from an empty .venv.
$(STAMP): requirements.lock
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "plrf needs Python >= 3.11, but PYTHON=$$PYTHON is: $$("$$PYTHON" --version 2>&1)" >&2; \
	  echo "Name another one, for example: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@case "$$(pwd)" in *[:{}\<\>\"\`\$$\\]*) \
	  printf 'The path %s has one of the characters : { } < > " ` $$ \\, which ' "$$(pwd)" >&2; \
	  echo 'Python and Snakemake read otherwise. Nothing was installed: move or rename the folder.' >&2; \
	  exit 1;; esac
	@echo "Installing the pinned requirements into .venv (about a minute) ..."
	@"$$PYTHON" -m venv --clear .venv
	@$(RUN) pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(RUN) pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@$(PLACE) >$@
