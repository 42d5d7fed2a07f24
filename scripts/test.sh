#!/usr/bin/env bash
# Checks the style and runs the tests, in an environment of exact versions.
# Usage: bash scripts/test.sh [PYTEST'S ARGUMENTS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh test
.venv/bin/ruff check --quiet .
.venv/bin/ruff format --check --quiet .
run() { .venv/bin/python -m pytest --numprocesses=auto --dist=worksteal "$@"; }
if (($#)); then
  run "$@"
else  # in two parts, as processes never give back the memory of TensorFlow's graphs
  failed=0
  run tests/*/ || failed=1
  run tests/*.py || failed=1
  exit $failed
fi
