"""Some of the attempts that scripts/experiments/fuzz.py makes, on the smallest run."""

import json
import os
import subprocess
import sys

from conftest import ROOT


def test_attempts_are_handled(tmp_path):
    script = ROOT / "scripts" / "experiments" / "fuzz.py"
    words = ["--attempts=28", "--seed=2", "--runs=points", f"--folder={tmp_path}"]
    words += ["--attacks=record,flags,requests,images,streams"]
    done = subprocess.run(
        [sys.executable, str(script), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (tmp_path / "seed_2.jsonl").read_text().splitlines()
    attempts = [json.loads(line) for line in lines]
    assert len(attempts) == 28
    assert {attempt["verdict"] for attempt in attempts} == {"handled"}
    assert len({attempt["kind"] for attempt in attempts}) > 6
    assert sum(attempt["afresh"] for attempt in attempts) > 1
