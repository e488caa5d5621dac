.PHONY: help run test lint types format clean

help: ## what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

run: ## environment, engine, tables, demo data and the server, with its worker and demo host inside
	@.ci/environment requirements.txt
	@set -a; [ ! -f .env ] || . ./.env; exec .venv/bin/python manage.py serve $(if $(PORT),--port $(PORT))

test: ## every check and every test
	@.ci/test

lint: ## style and layers
	@.ci/environment requirements-dev.txt
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports

types: ## static types
	@.ci/environment requirements-dev.txt
	.venv/bin/mypy

format: ## put the code in form
	@.ci/environment requirements-dev.txt
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

clean: ## remove the environment and the caches; data in .rungs stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
