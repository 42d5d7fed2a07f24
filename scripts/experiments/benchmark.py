"""Speed, side by side on the same networks and batch, in one run.

    bash scripts/setup.sh benchmark
    .venv/bin/python scripts/experiments/benchmark.py [RECIPE ...]

For each recipe three programs take turns, each in a process of its own: this package; a
plain loop as TensorFlow's tutorial writes it, on TensorFlow's defaults (not for toys);
and eager PyTorch, images channels-last. pix2pix is beside the loop of TensorFlow's own
pix2pix tutorial, on the recipe's networks. Ratios are taken within a round of turns and
given as median (least – greatest) over the rounds, since the clock of a machine drifts.

``--isa=avx2`` keeps every program from AVX-512, as on a processor that has none.

    python scripts/experiments/benchmark.py --device=gpu [RECIPE ...]

On a GPU this package takes its turn in float32, with ``--mixed_precision=bfloat16``
and with ``--jit_compile=step``; PyTorch, where a recipe's networks are written in it,
eager and with ``torch.compile``, channels-last, in float32 and bfloat16. Both may use
TF32. Ours makes twenty steps or more in a call; PyTorch waits for the GPU every twenty.
What was found goes into samples/benchmark_gpu.json and docs/benchmarks.md.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import functools
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    ROOT,
    ScriptFlags,
    check_name,
    markdown,
    parse_names,
    read_record,
    read_words,
    write_between_marks,
    write_record,
)
from tqdm import tqdm

from tfgan_mnist.system import command
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.flags import flag

GOALS = {  # of this package over the others, on two cores without AVX-512
    "dcgan": {"plain": 3.5, "torch": 1.1},
    "dcgan_tutorial": {"plain": 1.5, "torch": 1.2},
    "dcgan32": {"plain": 1.3, "torch": 1.1},
    "gaussian": {"torch": 10.0},
    "moons": {"torch": 10.0},
    "colour": {"plain": 1.0, "torch": 1.0},
    "dcgan_cpu": {},
    "dcgan_fast": {},
    "mlp": {},
    "cgan_onehot": {},
}
PROGRAMS = ("ours", "plain", "torch")

# On a GPU: the recipes; and each program's name, what it changes, and its column.
GPU_RECIPES = (
    "dcgan",
    "dcgan_tutorial",
    "dcgan32",
    "dcgan_fast",
    "cdcgan_fast",
    "biggan",
    "stylegan",
    "cyclegan_uci",
)
IN_TORCH = ("dcgan", "dcgan_tutorial", "dcgan32")
GPU_PROGRAMS: dict[str, tuple[dict[str, Any], str]] = {
    "ours": ({}, "float32"),
    "ours_bfloat16": ({"mixed_precision": "bfloat16"}, "bfloat16"),
    "ours_xla": ({"jit_compile": "step"}, "XLA"),
    "ours_both": (
        {"mixed_precision": "bfloat16", "jit_compile": "step"},
        "bfloat16, XLA",
    ),
    "torch": ({}, "PyTorch"),
    "torch_compile": ({"compile": True}, "torch.compile"),
    "torch_both": ({"compile": True, "bfloat16": True}, "torch.compile, bfloat16"),
}
GPU_STEPS = 20  # at least, in a call
GPU_RECORD = ROOT / "samples" / "benchmark_gpu.json"
LOCK = "TFGAN_MNIST_BENCHMARK_LOCK"


@contextlib.contextmanager
def locked(how: int) -> Iterator[None]:
    """Holds the lock of the turns that get ready at once, if there are any."""
    if not (path := os.environ.get(LOCK)):
        yield
        return
    with open(path, "w") as file:
        fcntl.flock(file, how)
        yield


def timed(step: Callable[[], Any], seconds: float) -> list[float]:
    """Durations of calls after two to warm up: at least five, for about a time.

    Nothing else of this benchmark runs meanwhile.
    """
    with locked(fcntl.LOCK_SH):
        step(), step()
    durations: list[float] = []
    with locked(fcntl.LOCK_EX):
        while len(durations) < 5 or sum(durations) < seconds:
            start = time.perf_counter()
            step()
            durations.append(time.perf_counter() - start)
    return durations


# ------------------------------------------------------- programs, one in each process


def config_of(recipe: str):
    from tfgan_mnist.config import find_recipe, read_config

    return read_config(find_recipe(recipe))


def ours(recipe: str, seconds: float) -> dict[str, Any]:
    """The package's own step, and what it costs around it."""
    import dataclasses

    from tfgan_mnist.system.runtime import load_tensorflow, without_noise

    load_tensorflow()
    import tensorflow as tf

    from tfgan_mnist.build import build_picture, build_training

    config = config_of(recipe)
    if config.dataset == "mnist":
        config = dataclasses.replace(config, dataset="mnist5k")
    training = build_training(config)
    step, calls = training.step, iter(range(10**9))
    with without_noise():
        step(tf.constant(0), tf.constant(1))
    count = config.steps_per_call  # as the recipe trains
    durations = timed(
        lambda: step(tf.constant(next(calls) * count), tf.constant(count)).numpy(),
        seconds,
    )
    return {
        "durations": [duration / count for duration in durations],
        "memory": peak_memory(),
        "gflop": gflop_per_step(config, training.gan),
        "ceiling": matrix_product_gflops(tf),
        **overhead(tf, config, training, build_picture(config, training)),
    }


def plain(recipe: str, seconds: float) -> dict[str, Any]:
    """The loop of TensorFlow's tutorial, whatever TensorFlow's defaults are."""
    from plain_loop import plain_loop
    from plain_pix2pix import make_all_pairs, tensorflow_loop

    from tfgan_mnist.data.mnist import mnist5k

    config = config_of(recipe)
    if config.task:
        train = tensorflow_loop(config, *make_all_pairs(config))
    else:
        train, _ = plain_loop(config, mnist5k()[0])
    return {"durations": timed(train, seconds), "memory": peak_memory()}


def ours_on_gpu(recipe: str, seconds: float, changes: dict[str, Any]) -> dict[str, Any]:
    """The package's own step, with flags in place of the recipe's."""
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    import tensorflow as tf

    from tfgan_mnist.build import build_training

    config = dataclasses.replace(config_of(recipe), **changes)
    if config.dataset == "mnist":
        config = dataclasses.replace(config, dataset="mnist5k")
    step, calls = build_training(config).step, iter(range(10**9))
    count = max(config.steps_per_call, GPU_STEPS)
    durations = timed(
        lambda: step(tf.constant(next(calls) * count), tf.constant(count)).numpy(),
        seconds,
    )
    gpus = tf.config.list_physical_devices("GPU")
    details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
    used = tf.config.experimental.get_memory_info("GPU:0")["peak"] if gpus else 0
    return {
        "durations": [duration / count for duration in durations],
        "memory": used / 1e9,
        "device": details.get("device_name", "no GPU"),
    }


def torch(
    recipe: str,
    seconds: float,
    device: str = "cpu",
    compile: bool = False,
    bfloat16: bool = False,
) -> dict[str, Any]:
    """PyTorch, channels-last, as its own DCGAN example writes the loop.

    The fakes of D's update serve the first update of G too, as they do there. Where the
    recipe's networks move at once, both gradients are of the same passes here too.

    Args:
      recipe, seconds: as for the others.
      device: "cpu" or "cuda".
      compile: whether ``torch.compile`` compiles the networks; if not, it is eager.
      bfloat16: whether passes are made in it (``torch.autocast``).
    """
    import torch
    from plain_pix2pix import make_all_pairs, torch_loop
    from torch import nn
    from torch.nn import functional

    from tfgan_mnist.data import toys
    from tfgan_mnist.data.mnist import mnist5k

    torch.set_num_threads(os.cpu_count() or 1)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    config = config_of(recipe)
    if config.task:
        train = torch_loop(config, *make_all_pairs(config))
        return {"durations": timed(train, seconds), "memory": peak_memory()}
    generator, discriminator = (
        network.to(device, memory_format=torch.channels_last)
        for network in torch_networks(nn, recipe)
    )
    if compile:
        generator, discriminator = map(torch.compile, (generator, discriminator))
    g_optimizer, d_optimizer = (
        torch.optim.Adam(
            network.parameters(), rate, (config.beta_1, config.beta_2), config.epsilon
        )
        for network, rate in (
            (generator, config.generator_learning_rate),
            (discriminator, config.discriminator_learning_rate),
        )
    )
    cross_entropy = functional.binary_cross_entropy_with_logits

    if recipe == "gaussian":
        target = toys.Gaussian()

        def batch():
            values = torch.randn(config.batch_size, 1)
            return target.mean + target.std * values
    else:
        if recipe == "moons":
            samples = torch.tensor(toys.moons(2_000, 0))
        else:
            samples = torch.tensor(mnist5k()[0]).permute(0, 3, 1, 2).float()
            samples = samples / 127.5 - 1.0
            if recipe == "dcgan32":
                size = (32, 32)
                samples = functional.interpolate(samples, size=size, mode="bilinear")
            samples = samples.to(device, memory_format=torch.channels_last)

        def batch():
            chosen = torch.randperm(len(samples), device=device)
            return samples[chosen[: config.batch_size]]

    def draw_noise():
        draw = torch.rand if recipe == "gaussian" else torch.randn
        return draw(config.batch_size, config.latent_dim, device=device)

    def d_loss_of(real, fake):
        return cross_entropy(real, torch.ones_like(real)) + cross_entropy(
            fake, torch.zeros_like(fake)
        )

    def train_at_once():
        real, fake = discriminator(batch()), discriminator(generator(draw_noise()))
        losses = d_loss_of(real, fake), cross_entropy(fake, torch.ones_like(fake))
        networks = discriminator, generator
        gradients = [
            torch.autograd.grad(loss, [*network.parameters()], retain_graph=True)
            for loss, network in zip(losses, networks, strict=True)
        ]
        for network, of_network in zip(networks, gradients, strict=True):
            for parameter, gradient in zip(
                network.parameters(), of_network, strict=True
            ):
                parameter.grad = gradient
        d_optimizer.step()
        g_optimizer.step()

    def train_in_turn():
        noise = draw_noise()
        d_optimizer.zero_grad()
        fakes = generator(noise)
        d_loss_of(discriminator(batch()), discriminator(fakes.detach())).backward()
        d_optimizer.step()
        for update in range(config.generator_updates):
            g_optimizer.zero_grad()
            if update:
                fakes = generator(noise)
            fake = discriminator(fakes)
            cross_entropy(fake, torch.ones_like(fake)).backward()
            g_optimizer.step()

    train = train_at_once if config.simultaneous else train_in_turn
    if device == "cpu":
        return {"durations": timed(train, seconds), "memory": peak_memory()}

    def call():
        with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
            for _ in range(GPU_STEPS):
                train()
        torch.cuda.synchronize()

    return {
        "durations": [duration / GPU_STEPS for duration in timed(call, seconds)],
        "memory": torch.cuda.max_memory_allocated() / 1e9,
    }


def _with_deviations(nn):
    """A batch of numbers and their squared deviations, as one vector."""
    import torch

    class WithDeviations(nn.Module):
        def forward(self, values):
            values = values.reshape(1, -1)
            squares = (values - values.mean(1, keepdim=True)) ** 2
            return torch.cat([values, squares], 1)

    return WithDeviations()


def torch_networks(nn, recipe: str):
    """The recipe's networks in PyTorch's layers."""
    if recipe == "gaussian":
        return (
            nn.Sequential(
                nn.Linear(1, 50),
                nn.ELU(),
                nn.Linear(50, 50),
                nn.Sigmoid(),
                nn.Linear(50, 1),
            ),
            nn.Sequential(
                _with_deviations(nn),
                nn.Linear(200, 50),
                nn.ELU(),
                nn.Linear(50, 50),
                nn.ELU(),
                nn.Linear(50, 1),
            ),
        )
    if recipe == "moons":
        return (
            nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 2)),
            nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 1)),
        )

    def up(a, b, *shape, norm=nn.BatchNorm2d, bias=True, act=nn.ReLU):
        layer = nn.ConvTranspose2d(a, b, *shape, bias=bias)
        return [layer, norm(b), act()] if norm else [layer, nn.Tanh()]

    def down(a, b, *shape, norm=nn.BatchNorm2d, slope=0.2):
        layers = [nn.Conv2d(a, b, *shape), nn.LeakyReLU(slope)]
        return [layers[0], norm(b), layers[1]] if norm else layers

    if recipe == "dcgan":
        return (
            nn.Sequential(
                nn.Linear(100, 4608),
                nn.Unflatten(1, (512, 3, 3)),
                nn.BatchNorm2d(512),
                nn.ReLU(),
                *up(512, 256, 5, 2, 2, 1),
                *up(256, 128, 5, 2, 2, 1),
                *up(128, 64, 5, 2, 2, 1),
                *up(64, 1, 5, norm=None),
            ),
            nn.Sequential(
                *down(1, 64, 5, 2, 2, norm=None),
                *down(64, 128, 5, 2, 2),
                *down(128, 256, 5, 2, 2),
                *down(256, 512, 5, 2, 2),
                nn.Flatten(),
                nn.Linear(2048, 1),
            ),
        )
    if recipe == "dcgan_tutorial":
        leaky = {"bias": False, "act": lambda: nn.LeakyReLU(0.3)}
        return (
            nn.Sequential(
                nn.Linear(100, 12544, bias=False),
                nn.BatchNorm1d(12544),
                nn.LeakyReLU(0.3),
                nn.Unflatten(1, (256, 7, 7)),
                *up(256, 128, 5, 1, 2, **leaky),
                *up(128, 64, 5, 2, 2, 1, **leaky),
                *up(64, 1, 5, 2, 2, 1, norm=None, bias=False),
            ),
            nn.Sequential(
                *down(1, 64, 5, 2, 2, norm=None, slope=0.3),
                nn.Dropout(0.3),
                *down(64, 128, 5, 2, 2, norm=None, slope=0.3),
                nn.Dropout(0.3),
                nn.Flatten(),
                nn.Linear(6272, 1),
            ),
        )
    return (
        nn.Sequential(
            nn.Linear(100, 4096),
            nn.Unflatten(1, (256, 4, 4)),
            *up(256, 128, 3, 2),
            *up(128, 64, 3, 2, 1),
            *up(64, 1, 4, 2, 2, norm=None),
        ),
        nn.Sequential(
            *down(1, 16, 3, 2, 1, norm=None),
            *down(16, 32, 3, 2, 1),
            *down(32, 64, 3, 2, 1),
            *down(64, 128, 4),
            nn.Flatten(),
            nn.Linear(128, 1),
        ),
    )


# ---------------------------------------------------------------- the package's costs


def peak_memory() -> float:
    """The most memory that this process has held, in GB."""
    unit = 1e9 if sys.platform == "darwin" else 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def multiply_adds(network) -> int:
    """Of the products of one image's forward pass."""
    import keras

    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            total += multiply_adds(layer)
        elif isinstance(layer, keras.layers.Dense | keras.layers.Conv2D):
            # Each output value is a sum over a kernel's inputs.
            total += math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Conv2DTranspose):
            # Each input value is spread by a kernel.
            total += math.prod(layer.input.shape[1:-1]) * math.prod(layer.kernel.shape)
    return total


def gflop_per_step(config, gan) -> float:
    """Of the products of a step: a backward pass to the weights costs two forward ones.

    A shared pass of G serves D's updates and G's first, and where both move at once one
    pass of D serves both; what a loss does not need (D's weights while G moves) is not
    computed. Penalties and losses on wrong conditions are not counted.
    """
    from tfgan_mnist.registry import NETWORKS

    g, d = multiply_adds(gan.generator), multiply_adds(gan.discriminator)
    d /= NETWORKS[config.networks].packing  # samples that D judges as one
    d_updates, g_updates = config.discriminator_updates, config.generator_updates
    shared = config.simultaneous or config.shared_draws == "all"
    g_passes = g_updates if shared else g_updates + d_updates
    total = d_updates * 6 * d + g_passes * g + g_updates * (2 * g + 2 * d)
    total -= d * config.simultaneous
    return total * config.batch_size * 2 / 1e9


def matrix_product_gflops(tf) -> float:
    """The best of ten products of 2048×2048 matrices."""
    a = tf.random.normal([2048, 2048])
    multiply = tf.function(lambda: tf.reduce_sum(a @ a))
    durations = timed(lambda: multiply().numpy(), 0.5)
    return 2 * 2048**3 / min(durations) / 1e9


def overhead(tf, config, training, picture) -> dict[str, float]:
    """Seconds a step outside of its updates: data, hooks, Python, evaluations."""
    from tfgan_mnist.build import build_evaluation
    from tfgan_mnist.runner import exporter
    from tfgan_mnist.training import hooks, loop
    from tfgan_mnist.training.checkpoint import Checkpoints, State
    from tfgan_mnist.training.run_directory import RunDirectory

    many = 50
    batches = tf.function(
        lambda first: tf.reduce_sum(
            tf.map_fn(
                lambda i: tf.add_n(
                    [
                        tf.reduce_sum(tf.cast(rows, tf.float32))
                        for batch in training.step.batches(first + i)
                        for rows in batch.values()
                    ]
                ),
                tf.range(many),
                fn_output_signature=tf.float32,
            )
        )
    )
    data = statistics.median(timed(lambda: batches(tf.constant(0)).numpy(), 1)) / many

    losses = training.step(tf.constant(0), tf.constant(1)).numpy()
    count = config.steps_per_call
    ready = losses.repeat(count, axis=0)
    with tempfile.TemporaryDirectory() as folder:
        directory = RunDirectory(folder)
        events = hooks.EventFile(directory, 0)
        state = State(training.variables)
        clock = hooks.Clock(state, config.batch_size, "images", 10**9, 0.0)
        symbols = {side.name: side.symbol for side in training.gan.sides}

        def names():
            return training.step.names

        bar = hooks.Bar(state, clock, names, symbols)

        def loop_only():
            # The real loop around steps that take no time, its bar unseen.
            start = State({})
            loop.run(
                lambda first, n: ready[:n],
                names,
                start,
                [bar],
                last_step=count * 10,
                steps_per_call=count,
            )

        python = statistics.median(timed(loop_only, 0.5)) / (count * 10)
        log = hooks.Log(1, names, symbols, directory, events, clock, lambda line: None)
        export = exporter(config, training.variables)
        # Each is taken for the best so far, whose model is saved.
        keep = [lambda state, metrics: export(directory.best_model, {})]
        evaluate = build_evaluation(config, training)
        observers = keep if config.dataset == "mnist5k" else []
        evaluation = hooks.Evaluation(1, evaluate, log, observers)
        pictures = hooks.Pictures(1, picture, directory, events)
        saver = hooks.Saver(1, Checkpoints(directory.checkpoints, 2))

        def once(hook):
            state.step += 1
            state.losses = ready
            hook(state)

        hook = sum(
            statistics.median(timed(functools.partial(once, call), 0.5)) / every
            for call, every in (
                (log, config.log_every),
                (pictures, config.sample_every),
                (saver, config.checkpoint_every),
            )
        )
        measured = 0.0
        if config.evaluate_every:
            once(evaluation)
            measured = statistics.median(timed(lambda: once(evaluation), 5.0))
            measured /= config.evaluate_every
        events.close()
        found = {"data": data, "python": python, "hooks": hook, "evaluation": measured}
        if config.task:
            export(directory.saved_model, {})
            sources = training.held_out["sources"].numpy() * 0.5 + 0.5
            found["translated"] = images_a_second(directory.saved_model, sources)
    return found


def images_a_second(saved_model: Path, sources: np.ndarray) -> float:
    """That a SavedModel translates, of sources [count, ...] in [0, 1]."""
    from tfgan_mnist.serving.reader import LoadedModel, row_seeds

    model, seeds = LoadedModel(saved_model), row_seeds(1, len(sources))
    durations = timed(lambda: model.translate(sources, seeds), 2.0)
    return len(sources) / statistics.median(durations)


def seconds_to_first_step(recipe: str, environment: dict[str, str]) -> float:
    """From the command to the log line of the first step."""
    with tempfile.TemporaryDirectory() as folder:
        flags = [f"--flagfile={recipe}", "--steps=1", "--epochs=0", "--log_every=1"]
        flags += ["--evaluate_every=0", f"--run_dir={folder}/run"]
        if config_of(recipe).dataset == "mnist":
            flags.append("--dataset=mnist5k")
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "tfgan_mnist.train", *flags],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for line in process.stdout:
            if line.startswith("step 1 "):
                break
        seconds = time.perf_counter() - start
        process.communicate()
    return seconds


# ---------------------------------------------------------------------------- the table


def environment_of(program: str, isa: str) -> dict[str, str]:
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3")
    environment.pop("TF_ENABLE_ONEDNN_OPTS", None)
    if isa == "avx2":
        environment |= {
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "ATEN_CPU_CAPABILITY": "avx2",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
            "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        }
        if program == "plain":  # TensorFlow's default without AVX-512
            environment["TF_ENABLE_ONEDNN_OPTS"] = "0"
    return environment


@dataclasses.dataclass(frozen=True)
class Flags(ScriptFlags):
    device: str = flag("cpu", "Benchmark", "that trains", choices=("cpu", "gpu"))
    programs: str = flag(
        "",
        "Benchmark",
        f"of {','.join(PROGRAMS)}, or on a GPU of {','.join(GPU_PROGRAMS)}; empty: all",
    )
    isa: str = flag("native", "Benchmark", "instructions", choices=("native", "avx2"))
    at_once: int = flag(
        1,
        "Benchmark",
        "programs that get ready at the same time, each to be timed alone; for a GPU",
        low=1,
    )
    rounds: int = flag(3, "Benchmark", "of turns", low=1)
    seconds: float = flag(8.0, "Benchmark", "of a turn", above=0.0)
    turn: bool = flag(
        False, "Benchmark", "one program's turn in this process; prints JSON"
    )


def turn(program: str, recipe: str, flags: Flags) -> dict[str, Any]:
    """Runs a program in a process of its own; what it measured."""
    words = ["--turn", f"--programs={program}", f"--seconds={flags.seconds}", recipe]
    words.append(f"--device={flags.device}")
    done = subprocess.run(
        [sys.executable, __file__, *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment_of(program, flags.isa),
    )
    if done.returncode:
        sys.exit(f"{program} failed on {recipe}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def median(values: list[float], form: str = "{:.2f}") -> str:
    """The median (least – greatest)."""
    shown = [form.format(f(values)) for f in (statistics.median, min, max)]
    return "{} ({} – {})".format(*shown)


def report(recipe: str, rounds: list[dict[str, dict]], to_first_step: float) -> None:
    medians = [
        {name: statistics.median(found["durations"]) for name, found in one.items()}
        for one in rounds
    ]
    print(f"\n{recipe}")
    for name in rounds[0]:
        times = median([one[name] for one in medians], "{:.3g}")
        memory = max(one[name]["memory"] for one in rounds)
        line = f"  {name:<6} {times} s a step, {memory:.1f} GB at most"
        if name != "ours":
            ratios = [one[name] / one["ours"] for one in medians]
            line += f"; ours is {median(ratios)} times as fast"
            line += f", goal without AVX-512 {GOALS[recipe][name]}"
        print(line)
    step = statistics.median(one["ours"] for one in medians)
    ours = [one["ours"] for one in rounds]
    gflop = ours[0]["gflop"]
    rates = [gflop / one["ours"] for one in medians]
    shares_of_ceiling = [
        rate / one["ceiling"] for rate, one in zip(rates, ours, strict=True)
    ]
    print(
        f"  {gflop:.3g} GFLOP a step: {median(rates, '{:.0f}')} GFLOP/s, "
        f"{median(shares_of_ceiling)} of what a matrix product reaches"
    )
    parts = {
        name: statistics.median(one[name] for one in ours)
        for name in ("data", "hooks", "python")
    }
    # The step is timed with its data, without hooks and loop.
    whole = step + parts["hooks"] + parts["python"]
    shares = ", ".join(f"{name} {value / whole:.2%}" for name, value in parts.items())
    print(
        f"  outside the updates {sum(parts.values()) / whole:.2%} ({shares}), goal 3 %"
    )
    measured = statistics.median(one["evaluation"] for one in ours) / whole
    print(f"  evaluations, the best model kept each time: {measured:.2%}, goal 5 %")
    if "translated" in ours[0]:
        rates = [one["translated"] for one in ours]
        print(f"  translate: {median(rates, '{:,.0f}')} images a second")
    print(f"  {to_first_step:.1f} s from the command to the first step")


def benchmark_gpu(
    recipes: Sequence[str], programs: Sequence[str], flags: Flags
) -> None:
    """Times each program on each recipe, and writes the record and its table."""
    turns = [
        (recipe, program)
        for recipe in recipes
        for program in programs
        if recipe in IN_TORCH or program.startswith("ours")
    ]
    record = read_record(GPU_RECORD)
    with tempfile.NamedTemporaryFile() as lock, tqdm(total=len(turns)) as bar:
        os.environ[LOCK] = lock.name
        with ThreadPoolExecutor(flags.at_once) as pool:
            waiting = [
                (*one, pool.submit(turn, *reversed(one), flags)) for one in turns
            ]
            for recipe, program, result in waiting:
                try:
                    found = result.result()
                except SystemExit as failed:  # the others are measured all the same
                    tqdm.write(str(failed))
                    continue
                finally:
                    bar.update()
                seconds = statistics.median(found.pop("durations"))
                record.setdefault(recipe, {})[program] = {"seconds": seconds, **found}
                write_record(GPU_RECORD, record)
    write_between_marks(ROOT / "docs" / "benchmarks.md", {"gpu": gpu_table(record)})


def gpu_table(record: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Steps a second of each program on each recipe, as Markdown."""
    heads = ["recipe", *(column for _, column in GPU_PROGRAMS.values()), "memory"]
    rows = []
    for recipe, found in record.items():
        rates = [
            f"{1.0 / found[program]['seconds']:,.0f}" if program in found else "–"
            for program in GPU_PROGRAMS
        ]
        memory = max(one["memory"] for one in found.values())
        rows.append([f"`{recipe}`", *rates, f"{memory:.1f} GB"])
    of_all = [one for found in record.values() for one in found.values()]
    devices = ", ".join(sorted({one["device"] for one in of_all if "device" in one}))
    words = (
        f"Steps a second on {devices}: the median over calls of {GPU_STEPS} steps or "
        "more. `python scripts/experiments/benchmark.py --device=gpu` measured them. "
        "Memory is the most that any of the programs held."
    )
    if own := [
        one["seconds"]
        for program, one in record.get("dcgan", {}).items()
        if program.startswith("ours")
    ]:
        steps = config_of("dcgan").steps
        words += (
            f" At the fastest of ours, the {steps:,} steps of `dcgan` take "
            f"{min(own) * steps / 60:.0f} minutes."
        )
    return f"{markdown(heads, rows)}\n{words}\n"


def run_turn(program: str, recipe: str, flags: Flags) -> dict[str, Any]:
    """What a program measures, in this process."""
    if flags.device == "cpu":
        run = {"ours": ours, "plain": plain, "torch": torch}[program]
        return run(recipe, flags.seconds)
    changes = GPU_PROGRAMS[program][0]
    if program.startswith("ours"):
        return ours_on_gpu(recipe, flags.seconds, changes)
    return torch(recipe, flags.seconds, "cuda", **changes)


def main(argv: Sequence[str]) -> None:
    flags, recipes = read_words(argv, __doc__, Flags, {*GOALS, *GPU_RECIPES})
    on_gpu = flags.device == "gpu"
    for recipe in recipes:
        check_name(recipe, GPU_RECIPES if on_gpu else GOALS, repr(recipe))
    known = GPU_PROGRAMS if on_gpu else PROGRAMS
    chosen = parse_names(flags.programs, "programs", known)
    if flags.turn:
        if len(chosen) != 1 or len(recipes) != 1:
            raise UserError("--turn: is of one of --programs and one recipe")
        print(json.dumps(run_turn(chosen[0], recipes[0], flags)))
        return
    if on_gpu:
        benchmark_gpu(recipes or GPU_RECIPES, chosen, flags)
        return
    if "ours" not in chosen:
        raise UserError(f"--programs={flags.programs}: must contain ours")
    recipes = recipes or [recipe for recipe, goals in GOALS.items() if goals]
    programs = {
        recipe: [p for p in chosen if p in ("ours", *GOALS[recipe])]
        for recipe in recipes
    }
    turns = sum(map(len, programs.values())) * flags.rounds
    with tqdm(total=turns, unit="turn") as bar:
        for recipe in recipes:
            rounds = []
            for _ in range(flags.rounds):
                results = {}
                for program in programs[recipe]:
                    results[program] = turn(program, recipe, flags)
                    bar.update()
                rounds.append(results)
            environment = environment_of("ours", flags.isa)
            with tqdm.external_write_mode():
                report(recipe, rounds, seconds_to_first_step(recipe, environment))


if __name__ == "__main__":
    sys.exit(command.run(main))
