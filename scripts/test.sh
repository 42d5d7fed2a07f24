#!/usr/bin/env bash
# Checks the style and runs the tests, in an environment of exact versions.
# Usage: bash scripts/test.sh [PYTEST'S ARGUMENTS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh test
.venv/bin/ruff check --quiet .
.venv/bin/ruff format --check --quiet .
# If it is set, each command that a test starts compiles the whole package again.
unset PYTHONDONTWRITEBYTECODE
exec .venv/bin/python -m pytest --numprocesses=auto --dist=worksteal "$@"
