"""Attacks commands with random damage, flags, requests, signals, streams, disk errors.

    python scripts/experiments/fuzz.py --attempts=1000

Each attempt is a real process that runs a command's own ``main``: nine of ten are
forked from a process that has imported TensorFlow and run nothing of it, every tenth is
started afresh. What it does follows from --seed and its number alone. A verdict each:

  traceback        a traceback, a crash, an exit code that means nothing, or more noise
                   than lines that say what is wrong
  silence          what was damaged was used, or what was wrong answered, without a word
  hang             no end within three minutes
  lost checkpoint  a run has no whole checkpoint any more, or ends in other bits
  left behind      an unfinished file or folder after anything but kill -9
  handled          none of these

Keeps a record of every attempt in --folder, from which it goes on; --write puts the
table into docs/robustness.md.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import errno
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from common import (
    ROOT,
    ScriptFlags,
    markdown,
    parse_names,
    read_words,
    write_between_marks,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.errors import RunStopped, UserError
from tfgan_mnist.system.flags import flag, parse_numbers

PAGE = ROOT / "docs" / "robustness.md"
VERDICTS = (
    "handled",
    "traceback",
    "silence",
    "hang",
    "lost checkpoint",
    "left behind",
)
SECONDS = 180  # after which an attempt hangs: a busy machine starts TensorFlow slowly
MEMORY = 10 * 2**30  # bytes of address space: what asks for more must say so
LINES = 6  # on stderr; a warning a record, and an error

SMALL = ["--base_channels=4", "--batch_size=8", "--max_seconds=0", "--epochs=0"]
SMALL += ["--log_every=2", "--sample_every=4", "--checkpoint_every=3"]
SMALL += ["--jit_compile=off", "--steps_per_call=2", "--sample_count=10"]
RUNS = {
    # A run with metrics and a best model, one with labels, and one of points.
    "digits": ["--flagfile=mlp", "--dataset=mnist5k", "--evaluate_every=4"],
    "labels": ["--flagfile=cgan_embedding", "--dataset=mnist5k", "--evaluate_every=0"],
    "points": ["--flagfile=moons", "--evaluate_every=4"],
}
SHARES = {"digits": 1, "labels": 2, "points": 3}
STEPS = 8


@dataclasses.dataclass
class Attempt:
    """One process and what it may do.

    Args:
      kind: of attack, as it stands in the table.
      command: its name.
      words: after it.
      what: was done to it, in words.
      streams: of stdin, stdout and stderr: "file", "closed", "full" or "left".
      prepare: called in the child; it may install what goes wrong later.
      check: (code, stderr, folder) → a verdict, or "" if nothing is wrong.
      signalled: the signal that is sent to it, if any.
    """

    kind: str
    command: str
    words: list[str]
    what: str
    streams: tuple[str, str, str] = ("file", "file", "file")
    prepare: Callable[[], None] | None = None
    check: Callable[[int, str, Path], str] | None = None
    signalled: int = 0


# Processes


def forked(attempt: Attempt, folder: Path) -> int:
    """Runs an attempt in a fork of this process; its exit code, None after a hang."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.chdir(folder)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            _redirect(attempt.streams, folder)
            from tfgan_mnist.system import streams

            streams._OPENED.clear()
            if attempt.prepare:
                attempt.prepare()
            code = _call(attempt)
        except BaseException:
            traceback.print_exc()
            code = 70
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)
    return _wait(child)


def _call(attempt: Attempt) -> int:
    import importlib

    module = importlib.import_module(f"tfgan_mnist.{attempt.command}")
    return command.run(module.main, attempt.words)


def _redirect(streams: tuple[str, str, str], folder: Path) -> None:
    """Makes the standard streams of this process what an attempt has them be."""
    for number, (name, how) in enumerate(
        zip(("stdin", "stdout", "stderr"), streams, strict=True)
    ):
        if how == "closed":
            os.close(number)
            stream = None
        else:
            if how == "left":  # its reader is gone
                reader, handle = os.pipe()
                os.close(reader)
            elif how == "full":
                handle = os.open("/dev/full", os.O_RDWR)
            elif number == 0:
                handle = os.open(os.devnull, os.O_RDONLY)
            else:
                handle = os.open(folder / f".{name}", os.O_CREAT | os.O_WRONLY, 0o600)
            os.dup2(handle, number)
            if handle != number:
                os.close(handle)
            mode = "w" if number else "r"
            stream = open(number, mode, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def started(attempt: Attempt, folder: Path) -> int | None:
    """Runs an attempt in a process that is started afresh."""
    signs = {"closed": "{}>&-", "full": "{}>/dev/full", "left": "{}> >(true)"}
    ends = []
    for number, how in enumerate(attempt.streams):
        if number and how == "file":
            ends.append(f"{number}>.{('', 'stdout', 'stderr')[number]}")
        elif number:
            ends.append(signs[how].format(number))
        else:
            ends.append("<&-" if how == "closed" else "</dev/null")
    kilobytes = MEMORY // 1024
    script = f'ulimit -v {kilobytes}; exec "$@" {" ".join(ends)}'
    words = [sys.executable, "-m", f"tfgan_mnist.{attempt.command}", *attempt.words]
    child = subprocess.Popen(
        ["bash", "-c", script, "bash", *words],
        cwd=folder,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "1"},
    )
    return _wait(child.pid)


def _wait(child: int) -> int | None:
    """The exit code of a process, None after a hang; it does not outlive us."""
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
    except BaseException:
        os.killpg(child, signal.SIGKILL)
        raise
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


# What goes wrong


def at_event(number: int, act: Callable[[], None]) -> Callable[[], None]:
    """What installs an act at the n-th time that files below here are touched."""

    def install() -> None:
        here, seen = os.getcwd(), [0]

        def hook(event: str, words: tuple) -> None:
            if event not in ("open", "os.rename", "os.remove", "os.mkdir"):
                return
            path = words[0]
            if not isinstance(path, (str, os.PathLike)):
                return
            path = os.path.join(here, os.fspath(path))
            if path.startswith(here) and "/." not in path.removeprefix(here)[:2]:
                seen[0] += 1
                if seen[0] == number:
                    act()

        sys.addaudithook(hook)

    return install


DAMAGES = ["flip", "flip", "truncate", "empty", "delete", "replace", "extra"]
DAMAGES += ["folder", "pipe", "link"]


def damage(path: Path, chance: random.Random) -> str:
    """Damages a file, and says how."""
    content = path.read_bytes() if path.is_file() else b""
    how = chance.choice(DAMAGES)
    if how == "flip" and content:
        some = bytearray(content)
        for _ in range(chance.choice([1, 1, 3, 30])):
            at = chance.randrange(len(some))
            some[at] ^= 1 << chance.randrange(8)
        path.write_bytes(some)
    elif how == "truncate":
        path.write_bytes(content[: chance.randrange(max(1, len(content)))])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "replace":
        others = [
            b"\0" * 64,
            chance.randbytes(200),
            b"null",
            b'{"step": -1, "metrics": {}, "classes": null}',
            b"[" * 50_000,
            b"step,step\n1,2\n",
            b"\xff\xfe\x00",
            "ä\n".encode(),
            b"GIF89a",
            b"\x89PNG\r\n\x1a\n",
        ]
        path.write_bytes(chance.choice(others))
    elif how == "extra":
        path.write_bytes(content + chance.choice([b"\n", b",1\n", b"\0", content]))
    else:
        path.unlink()
        if how == "folder":
            path.mkdir()
        elif how == "pipe":
            os.mkfifo(path)
        elif how == "link":
            path.symlink_to("nowhere")
    return how


VALUES = ["", "0", "1", "-1", "2", "7", "64", "nan", "inf", "-inf", "1e39", "1e-50"]
VALUES += ["0.5", "2147483647", "2147483648", "3000000000", "9223372036854775808"]
VALUES += ["true", "x", "0x10", "1_000", "٣", "None", "[]", " 3", "1e3", "-0.0"]
VALUES += ["a\nb", "a\tb", "no/such/folder", "/dev/null", "/", ".", "ä", "x" * 300]
VALUES += [
    "out.png",
    "out.npy",
    "out.gif",
    "out.csv",
    "out.json",
    "0-9",
    "3,1,4",
    "9-0",
]


# The places that attempts are made in


class Places:
    """Runs and images that are made once, and copied for each attempt.

    Args:
      folder: where they lie.
      runs: names of ``RUNS`` to have.
    """

    def __init__(self, folder: Path, runs: list[str]):
        self.folder, self.runs = folder, runs

    def choose(self, chance: random.Random) -> str:
        """One of the runs, those that take less time more often."""
        (name,) = chance.choices(self.runs, [SHARES[name] for name in self.runs])
        return name

    def make(self) -> None:
        """Makes what is not there yet, by real commands."""
        import imageio.v3 as imageio
        import numpy as np

        done = self.folder / "done"
        if done.is_file():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in self.runs:
            self._run("train", self.train(name, "run"), self.folder / name)
            self._run("train", self.train(name, "run", 12), self.folder / f"{name}12")
            words = ["--saved_model=run/saved_model", "--count=10", "--output=out.npy"]
            words += ["--label=0-9"] * (name == "labels")
            self._run("sample", words, self.folder / name)
            (self.folder / name / "out.npy").rename(self.folder / f"{name}.npy")
        self._run(
            "evaluate",
            ["--saved_model=run/saved_model", "--output=out.json"],
            self.folder / "points",
        )
        (self.folder / "points" / "out.json").rename(self.folder / "points.json")
        images = self.folder / "images" / "images"
        images.mkdir(parents=True)
        pixels = np.random.default_rng(1).integers(0, 200, [100, 8, 8], np.uint8)
        for i, image in enumerate(pixels):
            imageio.imwrite(images / f"{i:03d}.png", image)
        np.save(self.folder / "images" / "array.npy", pixels)
        self._run(
            "evaluate",
            ["--images=images", "--output=out.json"],
            self.folder / "images",
        )
        (self.folder / "images" / "out.json").rename(self.folder / "images.json")
        for path in self.folder.glob("*/.std*"):
            path.unlink()
        done.write_text("")

    def _run(self, command: str, words: list[str], folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        code = forked(Attempt("", command, words, ""), folder)
        if code:
            raise RuntimeError((folder / ".stderr").read_text())

    @staticmethod
    def train(name: str, run_dir: str, steps: int = STEPS) -> list[str]:
        return [*RUNS[name], *SMALL, f"--steps={steps}", f"--run_dir={run_dir}"]

    def copy(self, name: str, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder / name, folder, symlinks=True)


# Oracles


def whole(run: Path) -> dict[int, dict]:
    """The whole checkpoints of a run, by step."""
    from tfgan_mnist.training.checkpoint import Checkpoints, read_step

    paths = Checkpoints(run / "checkpoints", 1).paths()
    steps = [int(path.stem[5:]) for path in paths]
    found = {step: read_step(run / "checkpoints", step) for step in steps}
    return {step: arrays for step, arrays in found.items() if arrays is not None}


def same_end(places: Places, name: str, steps: int) -> Callable[[int, str, Path], str]:
    """A run that ended well has the bits, record and model of an unharmed one."""
    import numpy as np

    reference = places.folder / (name if steps == STEPS else f"{name}12") / "run"

    def check(code: int, stderr: str, folder: Path) -> str:
        run = folder / "run"
        if code:
            return ""
        here, there = whole(run), whole(reference)
        if steps not in here:
            return "lost checkpoint"
        for key, array in there[steps].items():
            if key != "seconds" and not np.array_equal(array, here[steps][key]):
                return "lost checkpoint"
        from tfgan_mnist.serving.saved_model import check_own_model
        from tfgan_mnist.system.records import DamagedError

        try:
            check_own_model(run / "saved_model")
            if (reference / "saved_model_best").exists():
                best = check_own_model(run / "saved_model_best")["step"]
                least = check_own_model(reference / "saved_model_best")["step"]
                if best != least and not stderr:
                    return "silence"
        except DamagedError:
            return "" if stderr else "silence"
        record, expected = (path / "metrics.csv" for path in (run, reference))
        same = record.exists() and record.read_bytes() == expected.read_bytes()
        return "" if same or stderr else "silence"

    return check


def same_file(
    path: Path, name: str, read: Callable[[Path], object]
) -> Callable[[int, str, Path], str]:
    """What a command that ended well wrote is what it writes of what is unharmed."""

    def check(code: int, stderr: str, folder: Path) -> str:
        if code:
            return ""
        if not (folder / name).is_file():
            return "silence"
        same = read(folder / name) == read(path)
        return "" if same or stderr else "silence"

    return check


def _array(path: Path) -> bytes:
    import numpy as np

    return np.round(np.load(path), 5).tobytes()


# Attacks


def attack_record(places: Places, chance: random.Random, folder: Path) -> Attempt:
    """Damage to a file of a run, or of its model, that a command then reads."""
    name = places.choose(chance)
    places.copy(name, folder)
    run = folder / "run"
    files = [
        p for p in sorted(run.rglob("*")) if p.is_file() and "tfevents" not in p.name
    ]
    groups = collections.defaultdict(list)
    for path in files:
        groups[path.parent.name + path.suffix].append(path)
    path = chance.choice(groups[chance.choice(sorted(groups))])
    where = str(path.relative_to(run))
    how = damage(path, chance)
    foreign = chance.random() < 0.2
    metadata = run / "saved_model" / "assets.extra" / "tfgan_mnist.json"
    if foreign and "saved_model/" in where and metadata.is_file():
        metadata.unlink()  # as of a model of somebody else's, without checksums
    elif foreign:
        other = chance.choice(["step_x.png", "step_0000002.png", "._a"])
        if not (path.parent / other).exists():
            (path.parent / other).write_bytes(chance.randbytes(30))
    kind = f"damaged {_kind_of(path, run)}"
    label = ["--label=0-9"] * (name == "labels")
    action = chance.choice(
        ["again", "again", "more", "model", "run", "export", "begin"]
    )
    what = f"{how} {name}/{where}; {action}"
    if action in ("again", "more"):
        steps = STEPS if action == "again" else 12
        words = places.train(name, "run", steps)
        check = same_end(places, name, steps)
        return Attempt(kind, "train", words, what, check=check)
    if action in ("model", "run"):
        source = (
            "--saved_model=run/saved_model" if action == "model" else "--run_dir=run"
        )
        words = [source, "--count=10", "--output=out.npy", *label]
        check = same_file(places.folder / f"{name}.npy", "out.npy", _array)
        if foreign and action == "model":
            check = None  # nobody knows what such a model should answer
        return Attempt(kind, "sample", words, what, check=check)
    if action == "export":
        words = ["--run_dir=run", "--serving_dir=serving"]
        return Attempt(kind, "export", words, what, check=_exported)
    words = [*places.train(name, "other", 2), "--init_from=run"]
    words += ["--evaluate_every=0"]
    return Attempt(kind, "train", words, what)


def _kind_of(path: Path, run: Path) -> str:
    parts = path.relative_to(run).parts
    return {
        "config.flags": "config.flags",
        "checkpoints": "checkpoint",
        "samples": "picture",
        "saved_model": "SavedModel",
        "saved_model_best": "SavedModel",
        "metrics.csv": "metrics.csv",
        "metrics.json": "metrics.json",
    }.get(parts[0], "picture")


def _exported(code: int, stderr: str, folder: Path) -> str:
    from tfgan_mnist.serving.saved_model import check_own_model
    from tfgan_mnist.system.records import DamagedError

    if code:
        return "left behind" if [*folder.glob("serving/[0-9]*")] else ""
    try:
        check_own_model(folder / "serving" / "1")
    except DamagedError:
        return "silence"
    return ""


def _pixels(path: Path) -> bytes | None:
    """What a picture shows; None if it cannot be read, or is none."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.tobytes()
    except (OSError, SyntaxError, ValueError):
        return None


def attack_images(places: Places, chance: random.Random, folder: Path) -> Attempt:
    """Damage to pictures or arrays that are measured."""
    places.copy("images", folder)
    if chance.random() < 0.5:
        path, words = folder / "array.npy", ["--images=array.npy"]
    else:
        path = chance.choice(sorted((folder / "images").iterdir()))
        words = ["--images=images"]
    before = _pixels(path)
    how = damage(path, chance)

    def check(code: int, stderr: str, folder: Path) -> str:
        if code or stderr:
            return ""
        # Pixels that are others are another picture; a missing one is too few. One
        # that lost its last bytes alone has all of its pixels.
        same = how == "truncate" and before and _pixels(path) == before
        return "" if same or how in ("flip", "extra") else "silence"

    words += ["--output=out.json"]
    what = f"{how} {path.relative_to(folder)}"
    return Attempt("damaged images", "evaluate", words, what, check=check)


def attack_flags(places: Places, chance: random.Random, folder: Path) -> Attempt:
    """Random values of random flags."""
    import importlib

    from tfgan_mnist.config import Config

    command = chance.choice(["train", "train", "train", "sample", "evaluate", "export"])
    name = "points" if command == "evaluate" else places.choose(chance)
    places.copy(name, folder)
    if command == "train":
        fields = dataclasses.fields(Config)
        words = [*places.train(name, "new", 2), "--evaluate_every=0"]
        if chance.random() < 0.5:
            words.append("--dry_run")
    else:
        fields = dataclasses.fields(
            importlib.import_module(f"tfgan_mnist.{command}").Flags
        )
        words = {
            "sample": ["--saved_model=run/saved_model", "--count=10"],
            "evaluate": ["--saved_model=run/saved_model"],
            "export": ["--run_dir=run", "--serving_dir=serving"],
        }[command]
    given = []
    for field in chance.sample(fields, min(len(fields), chance.choice([1, 1, 2, 3]))):
        value = chance.choice(VALUES)
        if field.name in ("data_dir", "run_dir", "init_from") and value == "/":
            value = "run"
        given.append(f"--{field.name}={value}")
    if chance.random() < 0.2:  # in a file, where a NUL can stand too
        text = "\n".join(given) + chance.choice(["\n", "\0\n", "\n--flagfile=more\n"])
        (folder / "more").write_text(text)
        given = ["--flagfile=more"]
    what = f"{command} of {name}: {' '.join(given)!r}"
    return Attempt("flags", command, words + given, what)


def attack_streams(places: Places, chance: random.Random, folder: Path) -> Attempt:
    """Streams that are closed, full, or left by their reader."""
    name = places.choose(chance)
    places.copy(name, folder)
    ways = ["closed", "full", "left", "file"]
    streams = (
        chance.choice(["closed", "file"]),
        chance.choice(ways[:3]),
        chance.choice(ways),
    )
    what = f"{name}: {streams}"
    choice = chance.randrange(4)
    if choice == 0:
        words = ["--saved_model=run/saved_model", "--count=10", "--output=out.npy"]
        words += ["--label=0-9"] * (name == "labels")
        check = same_file(places.folder / f"{name}.npy", "out.npy", _array)
        return Attempt(
            "streams", "sample", words, what, streams, None, _any_code(check)
        )
    if choice == 1:
        words = ["--run_dir=run", "--serving_dir=serving"]
        check = _any_code(_exported)
        return Attempt("streams", "export", words, what, streams, None, check)
    steps = 12
    check = _any_code(same_end(places, name, steps))
    words = places.train(name, "run", steps)
    return Attempt("streams", "train", words, what, streams, None, check)


def _any_code(
    check: Callable[[int, str, Path], str],
) -> Callable[[int, str, Path], str]:
    """What was asked for is there, whatever the exit code says of the streams."""
    return lambda code, stderr, folder: check(0 if code == 1 else code, stderr, folder)


ENDS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def attack_signals(places: Places, chance: random.Random, folder: Path) -> Attempt:
    """A signal while files are written, and then the same command again."""
    name = places.choose(chance)
    places.copy(name, folder)
    if chance.random() < 0.3:  # from the beginning
        shutil.rmtree(folder / "run")
    which = chance.choice(ENDS)
    number = chance.randrange(1, 120)
    twice = chance.random() < 0.2

    def act() -> None:
        for _ in range(1 + twice):
            os.kill(os.getpid(), which)

    what = f"{name}: {which.name}{' twice' * twice} at file event {number}"
    words = places.train(name, "run", 12)
    before = max(whole(folder / "run"), default=0)
    again = Attempt("", "train", words, "", check=same_end(places, name, 12))

    def check(code: int, stderr: str, folder: Path) -> str:
        if code not in (0, -which, 128 + which):
            return "traceback"
        if before and max(whole(folder / "run"), default=0) < before:
            return "lost checkpoint"
        verdict = "" if which == signal.SIGKILL else unfinished(folder)
        return verdict or judged(again, forked(again, folder), folder)

    install = at_event(number, act)
    return Attempt(
        "signals", "train", words, what, prepare=install, check=check, signalled=which
    )


def attack_disk(places: Places, chance: random.Random, folder: Path) -> Attempt:
    """A system that refuses a file once, and then the same command again."""
    name = places.choose(chance)
    places.copy(name, folder)
    codes = ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO", "EISDIR", "ENOENT", "EMFILE"]
    code_name = chance.choice(codes)
    number = chance.randrange(1, 120)
    error = getattr(errno, code_name)

    def act() -> None:
        raise OSError(error, os.strerror(error))

    what = f"{name}: {code_name} at file event {number}"
    words = places.train(name, "run", 12)
    before = max(whole(folder / "run"), default=0)
    again = Attempt("", "train", words, "", check=same_end(places, name, 12))

    def check(code: int, stderr: str, folder: Path) -> str:
        if max(whole(folder / "run"), default=0) < before:
            return "lost checkpoint"
        verdict = unfinished(folder)
        return verdict or judged(again, forked(again, folder), folder)

    install = at_event(number, act)
    return Attempt("refusing disk", "train", words, what, prepare=install, check=check)


def attack_requests(places: Places, chance: random.Random, folder: Path) -> Attempt:
    """Random inputs to a random signature of a model."""
    name = places.choose(chance)
    places.copy(name, folder)
    seed = chance.randrange(2**31)
    return Attempt("requests", "request", [str(seed)], f"{name}: request {seed}")


def request(words: list[str]) -> None:
    """Asks a model's signatures and its reader; the verdicts go to stdout."""
    import numpy as np

    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    import tensorflow as tf

    from tfgan_mnist.serving.reader import LoadedModel

    chance = random.Random(int(words[0]))
    model = LoadedModel("run/saved_model")
    for _ in range(10):
        name = chance.choice(sorted(model.signatures))
        signature = model.signatures[name]
        specs = signature.structured_input_signature[1]
        rows = chance.choice([0, 1, 2, 3])
        inputs, valid, either = {}, True, False
        for key, spec in sorted(specs.items()):
            shape = [rows, *spec.shape[1:]]
            way = chance.choice(["", "", "", "rows", "rank", "size", "value"])
            if way == "rows":
                shape[0] = chance.choice([0, 1, 4, 5])
            elif way == "rank":
                shape, valid = [*shape, 1], False
            elif way == "size" and len(shape) > 1:
                shape[-1], valid = shape[-1] + 1, False
            value = np.zeros(shape, spec.dtype.as_numpy_dtype)
            if way == "value" and value.size:
                if spec.dtype.is_floating:
                    bad = chance.choice([np.nan, np.inf, -np.inf, 3e38])
                else:
                    bad = chance.choice([-1, 10, 2**62])
                value.flat[chance.randrange(value.size)] = bad
                if bad == 3e38 and key in ("points", "latents"):
                    either = True  # a large number may have a finite answer
                else:
                    valid &= key == "seed"
            inputs[key] = value
        counts = {len(value) for value in inputs.values()}
        valid &= len(counts) == 1 and counts != {0}
        try:
            found = signature(**{k: tf.constant(v) for k, v in inputs.items()})
        except (tf.errors.InvalidArgumentError, ValueError, TypeError) as error:
            said = any(
                f"{key}: " in str(error) or key in str(error) for key in [*inputs]
            )
            if (valid and not either) or not (said or "not finite" in str(error)):
                print("traceback", name, error, file=sys.stderr)
            continue
        right = {len(x) for x in found.values()} == counts
        numbers = [x.numpy() for x in found.values() if x.dtype.is_floating]
        right &= all(np.isfinite(x).all() for x in numbers)
        if not (right and valid):
            shapes = {k: (v.shape, v.ravel()[:2].tolist()) for k, v in inputs.items()}
            print("silence", name, shapes, file=sys.stderr)
    pool = [0, 1.5, -1, None, "x", [], [1], [1.0], [True], [2**64], [[1]], np.nan]
    pool += [np.zeros([2, 28, 28, 1]), np.zeros([2, 28, 28, 1], np.uint8)]
    pool += [np.full([1, 2], np.inf), {"a": 1}, np.zeros([1, 100]), [0, -5], 7.0]
    for _ in range(10):
        call = chance.choice([model.sample, model.generate, model.probability])
        arguments = [chance.choice(pool)]
        if call != model.probability and chance.random() < 0.4:
            arguments.append(chance.choice(pool))
        try:
            found = call(*arguments)
        except UserError:
            continue
        except Exception as error:
            print("traceback", call.__name__, arguments, repr(error), file=sys.stderr)
            continue
        if not np.isfinite(found).all():
            print("silence", call.__name__, arguments, file=sys.stderr)


ATTACKS = {
    attack_record: 30,
    attack_flags: 34,
    attack_requests: 10,
    attack_images: 12,
    attack_streams: 4,
    attack_signals: 5,
    attack_disk: 4,
}


# Verdicts


def unfinished(folder: Path) -> str:
    left = [
        p for p in folder.rglob(".*") if p.name.startswith((".unfinished", ".outgoing"))
    ]
    return "left behind" if left else ""


def judged(attempt: Attempt, code: int | None, folder: Path) -> str:
    """The verdict on an attempt that has ended."""
    if code is None:
        return "hang"
    errors = folder / ".stderr"
    stderr = errors.read_text(errors="replace") if errors.is_file() else ""
    lines = [line for line in stderr.splitlines() if line.strip()]
    if attempt.command == "request":
        if not lines:
            return "handled" if code == 0 else "traceback"
        return "silence" if lines[0].startswith("silence") else "traceback"
    fine = code in (0, 1, 2) or attempt.signalled
    if not fine or "Traceback" in stderr or len(lines) > LINES:
        return "traceback"
    if code == 2 and attempt.streams[2] == "file":
        errors_said = [line for line in lines if line.startswith("error: ")]
        if len(errors_said) != 1:
            return "traceback"
    if code and attempt.streams[2] == "file" and not lines and code > 0:
        return "silence"
    if not attempt.signalled and unfinished(folder):
        return "left behind"
    return (attempt.check and attempt.check(code, stderr, folder)) or "handled"


def attempt_number(
    places: Places, attacks: list, seed: int, number: int, folder: Path
) -> dict:
    """Makes an attempt; what it was and its verdict."""
    chance = random.Random(f"{seed}/{number}")
    (attack,) = chance.choices(attacks, [ATTACKS[attack] for attack in attacks])
    shutil.rmtree(folder, ignore_errors=True)
    attempt = attack(places, chance, folder)
    afresh = number % 10 == 9 and not attempt.prepare and attempt.command != "request"
    began = time.monotonic()
    code = (started if afresh else forked)(attempt, folder)
    verdict = judged(attempt, code, folder)
    errors = folder / ".stderr"
    said = errors.read_text(errors="replace") if errors.is_file() else ""
    return {
        "number": number,
        "kind": attempt.kind,
        "what": attempt.what,
        "afresh": afresh,
        "code": code,
        "verdict": verdict,
        "seconds": round(time.monotonic() - began, 1),
        "said": said[-1500:] if verdict != "handled" else said[:200],
    }


def table(records: list[dict]) -> str:
    """How many attempts of each kind had which verdict."""
    counts = collections.defaultdict(collections.Counter)
    for record in records:
        counts[record["kind"]][record["verdict"]] += 1
        counts["**all**"][record["verdict"]] += 1
    rows = [
        [kind, str(counts[kind].total()), *(str(counts[kind][v]) for v in VERDICTS)]
        for kind in sorted(counts, key=lambda kind: (kind == "**all**", kind))
    ]
    afresh = sum(record["afresh"] for record in records)
    return (
        f"{len(records):,} attempts, {afresh} of them in a new interpreter, the others "
        "in forked processes:\n\n"
        + markdown(["attempts on", "number", *VERDICTS], rows)
    )


NAMES = [attack.__name__.removeprefix("attack_") for attack in ATTACKS]


@dataclasses.dataclass(frozen=True)
class Flags(ScriptFlags):
    attempts: int = flag(1000, "Attempts", "how many", low=1)
    seed: int = flag(1, "Attempts", "what they do follows from it", low=0)
    attacks: str = flag("", "Attempts", f"of {','.join(NAMES)}; empty: all")
    runs: str = flag("", "Attempts", f"of {','.join(RUNS)}; empty: all")
    only: str = flag("", "Attempts", "numbers of attempts to repeat: 7 or 3,14")
    chunk: int = flag(0, "Attempts", "at most so many now; 0: all", low=0)
    folder: str = flag("runs/fuzz", "Results", "where the record is")
    write: bool = flag(False, "Results", "the table to the page")


def main(argv: Sequence[str]) -> None:
    flags, _ = read_words(argv, __doc__, Flags)
    runs = parse_names(flags.runs, "runs", RUNS)
    attacks = [
        globals()[f"attack_{name}"]
        for name in parse_names(flags.attacks, "attacks", NAMES)
    ]
    only = parse_numbers(flags.only, "only", "an attempt", 1000) if flags.only else []
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"}
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import tensorflow  # noqa: F401 - nothing of it is run: forks would not be sound

    import tfgan_mnist.evaluation.report
    import tfgan_mnist.runner
    import tfgan_mnist.visual.animation  # noqa: F401

    sys.modules["tfgan_mnist.request"] = sys.modules[__name__]
    sys.modules[__name__].main = request  # as a command's
    folder = Path(flags.folder).resolve()
    places = Places(folder / "places", runs)
    places.make()
    record = folder / f"seed_{flags.seed}.jsonl"
    lines = record.read_text().splitlines() if record.is_file() else []
    records = [json.loads(line) for line in lines]
    done = {one["number"] for one in records}
    numbers = only or [n for n in range(flags.attempts) if n not in done]
    for number in numbers[: flags.chunk or None]:
        found = attempt_number(places, attacks, flags.seed, number, folder / "attempt")
        if not only:
            with record.open("a") as file:
                file.write(json.dumps(found) + "\n")
        records.append(found)
        if found["verdict"] != "handled" or only:
            print(json.dumps(found, indent=1), flush=True)
    text = table([one for one in records if one["number"] < flags.attempts])
    print(text)
    if flags.write:
        write_between_marks(PAGE, {"fuzz": text})
    if bad := [one["number"] for one in records if one["verdict"] != "handled"]:
        raise RunStopped(f"{len(bad)} attempts were not handled: {bad}")


if __name__ == "__main__":
    sys.exit(command.run(main))
