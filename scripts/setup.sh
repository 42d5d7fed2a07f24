#!/usr/bin/env bash
# Makes .venv with the exact versions of constraints.txt and this checkout in it.
# Usage: bash scripts/setup.sh [EXTRAS]   (of setup.cfg, comma-separated; default: test)
# Quick when nothing has changed since the last time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
extras=${1:-test}
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then
  echo "error: $python is $("$python" -V 2>&1), not 3.11 to 3.13; set PYTHON to one that is" >&2
  exit 2
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  echo "error: $python cannot make virtual environments; install its venv package" >&2
  exit 2
fi
"$python" - "$extras" <<'PYTHON' || exit 2
import configparser, sys
options = configparser.ConfigParser()
options.read("setup.cfg")
known = options["options.extras_require"]
for extra in sys.argv[1].split(","):
    if extra not in known:
        sys.exit(f"error: {extra}: no extra of setup.cfg; there are: {', '.join(known)}")
PYTHON

want="$("$python" -VV) $extras $(cat constraints.txt setup.cfg pyproject.toml | cksum)"
stamp=.venv/made-from-${extras//,/-}
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
  exit 0
fi
echo "Installing into .venv (1 to 4 minutes, and 2.5 GB) ..." >&2
[ -x .venv/bin/python ] || "$python" -m venv .venv
# As a variable, the constraints also hold for what pip builds this package with.
PIP_CONSTRAINT=constraints.txt .venv/bin/python -m pip install --quiet \
  --disable-pip-version-check --editable ".[$extras]"
printf '%s' "$want" > "$stamp"
