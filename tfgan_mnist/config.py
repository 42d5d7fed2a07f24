"""Flags: one frozen, validated Config; the only module that knows of flags.

A recipe is a flagfile in ``tfgan_mnist/recipes``. Parsing one needs no TensorFlow, so
that ``--help`` and every mistake are answered at once.
"""

from __future__ import annotations

import dataclasses
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from absl import flags

from tfgan_mnist.system.errors import UserError, nearest


@dataclasses.dataclass(frozen=True)
class DataSet:
    """What is to be imitated.

    Args:
      makes: "images" in grey, "stacks" of three of them as red, green and blue, or
        "values" and "points" of one and two dimensions.
      count: training samples; None if each batch is drawn afresh, without end.
      classes: of its labels; 0 if it has none.
    """

    makes: str
    count: int | None = None
    classes: int = 0

    @property
    def is_toy(self) -> bool:
        """Whether its samples are numbers rather than pictures."""
        return self.makes not in ("images", "stacks")


DATASETS: Mapping[str, DataSet] = {
    "mnist": DataSet("images", 60_000, 10),
    "mnist5k": DataSet("images", 5_000, 10),
    "stacked": DataSet("stacks", 60_000),
    "stacked5k": DataSet("stacks", 5_000),
    "gaussian": DataSet("values"),
    "moons": DataSet("points", 2_000),
    "ring": DataSet("points"),
    "grid": DataSet("points"),
}


@dataclasses.dataclass(frozen=True)
class Pair:
    """What a pair of networks takes and makes.

    Args:
      makes: what they can imitate, as in ``DataSet``.
      conditional: whether both are told a label.
      packing: how many samples D judges as one.
    """

    makes: str = "images"
    conditional: bool = False
    packing: int = 1


NETWORKS: Mapping[str, Pair] = {
    "dcgan": Pair(),
    "dcgan_tutorial": Pair(),
    "dcgan32": Pair(),
    "dcgan32_unnormalised": Pair(),
    "dcgan_fast": Pair(),
    "mlp": Pair(),
    "cgan_onehot": Pair(conditional=True),
    "cgan_embedding": Pair(conditional=True),
    "cdcgan": Pair(conditional=True),
    "cdcgan_fast": Pair(conditional=True),
    "stacked": Pair("stacks"),
    "gaussian": Pair("values", packing=100),
    "gaussian_raw": Pair("values", packing=100),
    "gaussian_single": Pair("values"),
    "moons": Pair("points"),
    "points": Pair("points"),
    "pacgan": Pair("points"),
}
"""The pairs of networks that ``build`` can make."""

MOST_CLUSTERED = 20_000
"""Images that clusters are learned from; more make no better ones."""

LOSSES = (
    "non_saturating",
    "minimax",
    "least_squares",
    "wasserstein",
    "hinge",
    "relativistic",
)
"""The pairs of losses by their names in ``losses``."""


@dataclasses.dataclass(frozen=True)
class Flag:
    """What a flag is, beside its name and type (those are the dataclass field's)."""

    group: str
    help: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    same_run: bool = True  # may not differ when a run is resumed


def flag(default: Any, group: str, help: str, **options: Any) -> Any:
    """A dataclass field that is also a command line flag."""
    return dataclasses.field(
        default=default, metadata={"flag": Flag(group, help, **options)}
    )


def flag_of(field: dataclasses.Field) -> Flag:
    return field.metadata["flag"]


@dataclasses.dataclass(frozen=True)
class Config:
    """Everything that decides a training run. Raises UserError if it cannot be run."""

    recipe: str = flag("custom", "Recipe", "the name that the run and its models carry")

    dataset: str = flag(
        "mnist",
        "Data",
        "mnist (60,000 images; downloads on first use), mnist5k (5,000 of them, part "
        "of an installed package; no network); stacked, stacked5k (three of them at "
        "once, as colours); toys: gaussian, moons, ring, grid",
        choices=tuple(DATASETS),
    )
    data_dir: str = flag(
        "",
        "Data",
        "folder that holds a prepared copy; empty: tensorflow-datasets' own",
        same_run=False,
    )
    batch_size: int = flag(100, "Data", "samples in a batch", low=1)

    networks: str = flag(
        "dcgan",
        "Networks",
        "pair of networks: " + ", ".join(NETWORKS),
        choices=tuple(NETWORKS),
    )
    base_channels: int = flag(
        64,
        "Networks",
        "channels, or units, of the narrowest hidden layer of G",
        low=4,
        high=1024,
    )
    latent_dim: int = flag(
        100, "Networks", "numbers in a latent vector", low=1, high=65_536
    )
    latent_distribution: str = flag(
        "uniform",
        "Networks",
        "uniform (-1 to 1), standard_uniform (0 to 1) or normal (mean 0, deviation 1)",
        choices=("uniform", "standard_uniform", "normal"),
    )
    clusters: int = flag(
        0,
        "Networks",
        "k-means clusters of the training images (of each class, if the networks take "
        "a label) that both networks are told of; normal latents choose among them; "
        "0: none",
        low=0,
        high=1000,
    )
    ema_decay: float = flag(
        0.0,
        "Networks",
        "decay a step of G's weight average, which is then sampled and saved; 0: none",
        low=0.0,
        below=1.0,
    )

    spectral_normalization: bool = flag(
        False, "Networks", "D's kernels divided by their largest singular values"
    )

    loss: str = flag(
        "non_saturating",
        "Losses",
        "non_saturating (cross-entropy), minimax, least_squares, wasserstein, hinge, "
        "or relativistic (real and fake in pairs)",
        choices=LOSSES,
    )
    discriminator_loss_weight: float = flag(
        1.0, "Losses", "factor on D's loss, penalties aside", above=0.0
    )
    r1_weight: float = flag(
        0.0, "Losses", "of half D's squared gradient on real samples", low=0.0
    )
    r2_weight: float = flag(
        0.0, "Losses", "of half D's squared gradient on generated samples", low=0.0
    )
    gradient_penalty_weight: float = flag(
        0.0,
        "Losses",
        "of the squared difference from 1 of D's gradient's length, between real and "
        "generated samples (WGAN-GP: 10)",
        low=0.0,
    )
    mismatched_weight: float = flag(
        0.0,
        "Losses",
        "of D's loss between real samples with their own label (without labels: "
        "cluster) and with a wrong one, as if generated",
        low=0.0,
    )
    discriminator_clip: float = flag(
        0.0,
        "Losses",
        "D's weights are kept within ± this after each update (WGAN: 0.01); 0: free",
        low=0.0,
    )

    steps: int = flag(0, "Schedule", "steps; 0: no limit", low=0, same_run=False)
    epochs: int = flag(
        0, "Schedule", "passes over the data; 0: no limit", low=0, same_run=False
    )
    max_seconds: float = flag(
        0.0,
        "Schedule",
        "seconds of training, resumed time included; 0: no limit. The run ends at the "
        "first limit it meets",
        low=0.0,
        same_run=False,
    )
    discriminator_updates: int = flag(1, "Schedule", "updates of D a step", low=1)
    generator_updates: int = flag(2, "Schedule", "updates of G a step", low=1)
    share_latents: bool = flag(
        True, "Schedule", "one draw of latents for all updates of a step"
    )
    discriminator_learning_rate: float = flag(
        2e-4, "Schedule", "Adam's rate for D", above=0.0
    )
    generator_learning_rate: float = flag(
        2e-4, "Schedule", "Adam's rate for G", above=0.0
    )
    beta_1: float = flag(0.5, "Schedule", "Adam's beta_1", low=0.0, below=1.0)
    beta_2: float = flag(0.999, "Schedule", "Adam's beta_2", low=0.0, below=1.0)
    seed: int = flag(
        1, "Schedule", "every random number follows from it", low=0, high=2**31 - 1
    )

    run_dir: str = flag(
        "runs/custom", "Run directory", "where it all goes", same_run=False
    )
    log_every: int = flag(100, "Run directory", "steps between log lines", low=1)
    evaluate_every: int = flag(
        0,
        "Run directory",
        "steps between scores of the samples, each in a log line; the finished "
        "model is scored too, the best one so far kept, and collapse noticed; 0: never",
        low=0,
        same_run=False,
    )
    stop_on_collapse: bool = flag(
        False,
        "Run directory",
        "end the run when its scores show collapse, rather than say so and go on",
        same_run=False,
    )
    sample_every: int = flag(1000, "Run directory", "steps between pictures", low=1)
    sample_count: int = flag(
        100, "Run directory", "samples in a picture", low=1, high=10_000
    )
    checkpoint_every: int = flag(
        1000, "Run directory", "steps between checkpoints", low=1
    )
    keep_checkpoints: int = flag(
        3, "Run directory", "checkpoints to keep", low=1, same_run=False
    )
    resume: bool = flag(
        True,
        "Run directory",
        "go on where the run directory's last checkpoint was",
        same_run=False,
    )
    overwrite: bool = flag(
        False,
        "Run directory",
        "remove what the run directory holds and start again",
        same_run=False,
    )

    steps_per_call: int = flag(
        1,
        "Speed",
        "steps inside one compiled call, whose batches are all held in memory",
        low=1,
        same_run=False,
    )
    jit_compile: str = flag(
        "off",
        "Speed",
        "what XLA compiles: off (nothing), step, or loop (all steps of a call; for "
        "networks without convolutions)",
        choices=("off", "step", "loop"),
    )
    mixed_precision: bool = flag(
        False, "Speed", "compute in bfloat16, keep weights in float32"
    )
    deterministic: bool = flag(
        False,
        "Speed",
        "forbid TensorFlow operations that vary from run to run (only a GPU has them)",
    )

    def __post_init__(self):
        # As it was written while there was but one way to compile.
        before = {"true": "step", "false": "off"}
        name = str(self.jit_compile).lower()
        object.__setattr__(self, "jit_compile", before.get(name, self.jit_compile))
        check_flags(self)
        if not self.recipe or not self.run_dir:
            empty = "run_dir" if self.recipe else "recipe"
            raise UserError(f"--{empty} is empty: give it a name")
        self._check_networks()
        data = DATASETS[self.dataset]
        if data.count is not None and self.batch_size > data.count:
            raise UserError(
                f"--batch_size={self.batch_size}: larger than the data; "
                f"{self.dataset} has {data.count} {data.makes}"
            )
        if data.count is None and self.epochs:
            raise UserError(
                f"--epochs={self.epochs}: {self.dataset} has no end, and so no epochs; "
                "give --steps"
            )
        self._check_clusters()
        if self.classes and self.sample_count % self.classes:
            raise UserError(
                f"--sample_count={self.sample_count}: must be a multiple of the "
                f"{self.classes} classes, which are a row each"
            )
        if self.stop_on_collapse and not self.evaluate_every:
            raise UserError(
                "--stop_on_collapse=true: without scores it is never noticed; give "
                "--evaluate_every"
            )
        if not (self.steps or self.epochs or self.max_seconds):
            raise UserError(
                "--steps, --epochs and --max_seconds are all 0: give one of them, "
                "or the run never ends"
            )

    @property
    def classes(self) -> int:
        """How many classes the networks are told of; 0 if they take no label."""
        if not NETWORKS[self.networks].conditional:
            return 0
        return DATASETS[self.dataset].classes

    @property
    def conditions(self) -> int:
        """How many things both networks can be told that a sample shows; 0: none."""
        if not self.clusters:
            return self.classes
        return max(1, self.classes) * self.clusters

    def _check_clusters(self) -> None:
        """Raises UserError unless there can be as many clusters as are asked for."""
        if self.mismatched_weight and self.conditions < 2:
            raise UserError(
                f"--mismatched_weight={self.mismatched_weight:g}: D is told nothing "
                "that could be wrong; give --clusters, or networks that take a label"
            )
        if not self.clusters:
            return
        data, name = DATASETS[self.dataset], f"--clusters={self.clusters}"
        if data.makes != "images":
            raise UserError(
                f"{name}: of single grey images, which {self.dataset} does not make"
            )
        if self.latent_distribution != "normal" or self.latent_dim < 2:
            raise UserError(
                f"{name}: two normal latents choose one; give "
                "--latent_distribution=normal and a --latent_dim of at least 2"
            )
        count = min(data.count, MOST_CLUSTERED)
        if self.conditions * 10 > count:
            most = count // (max(1, self.classes) * 10)
            raise UserError(
                f"{name}: too many for the {count} images that they are learned from; "
                f"at most {most}, of ten images each"
            )

    def _check_networks(self) -> None:
        """Raises UserError unless the networks can imitate the data."""
        data, pair = DATASETS[self.dataset], NETWORKS[self.networks]
        if pair.makes != data.makes:
            able = ", ".join(n for n, p in NETWORKS.items() if p.makes == data.makes)
            raise UserError(
                f"--networks={self.networks}: makes {pair.makes}, but "
                f"--dataset={self.dataset} holds {data.makes}; able are {able}"
            )
        if self.batch_size % pair.packing:
            raise UserError(
                f"--batch_size={self.batch_size}: D of --networks={self.networks} "
                f"judges {pair.packing} samples as one; give a multiple of "
                f"{pair.packing}"
            )

    @property
    def last_step(self) -> int | None:
        """The step at which the run ends, or None if only the clock ends it."""
        limits = [self.steps] if self.steps else []
        if self.epochs:
            samples = self.epochs * DATASETS[self.dataset].count
            limits.append(math.ceil(samples / self.batch_size))
        return min(limits, default=None)

    def differences(self, other: Config) -> list[str]:
        """``--flag=this (there: that)`` for each flag that makes another run."""
        return [
            f"--{field.name}={getattr(self, field.name)} "
            f"(there: {getattr(other, field.name)})"
            for field in dataclasses.fields(self)
            if flag_of(field).same_run
            and getattr(self, field.name) != getattr(other, field.name)
        ]

    def to_flags(self) -> str:
        """The text of a flagfile that gives this Config again."""
        lines = []
        for name, value in dataclasses.asdict(self).items():
            if name == "overwrite":  # reading a run's record must not remove the run
                continue
            if isinstance(value, bool):
                value = str(value).lower()
            lines.append(f"--{name}={value}\n")
        return "".join(lines)


_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}


def check_flags(config: Any) -> None:
    """Raises UserError unless every flag of a dataclass is of its type and range."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.type == "float" and type(value) is int:
            object.__setattr__(config, field.name, float(value))
        elif type(value).__name__ != field.type:
            raise UserError(f"--{field.name}={value!r}: must be {_KINDS[field.type]}")
        _check(field.name, getattr(config, field.name), flag_of(field))


def _check(name: str, value: Any, rule: Flag) -> None:
    """Raises UserError unless a flag's value is in its range."""
    if rule.choices and value not in rule.choices:
        raise UserError(
            f"--{name}={value}: there is no such value; " + nearest(value, rule.choices)
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"--{name}={value}: must be a finite number")
    for bound, broken, words in (
        (rule.low, lambda b: value < b, "at least"),
        (rule.above, lambda b: value <= b, "above"),
        (rule.high, lambda b: value > b, "at most"),
        (rule.below, lambda b: value >= b, "below"),
    ):
        if bound is not None and broken(bound):
            raise UserError(f"--{name}={value}: must be {words} {bound}")


# ---------------------------------------------------------------------------- parsing


def parse_flags(
    argv: Sequence[str], config_class: type, switches: Sequence[str] = ()
) -> dict[str, Any]:
    """The values of a dataclass's flags on a command line (without the program).

    ``--flagfile`` is followed, and looked up among the recipes if there is no such
    file. Of a flag given twice the later counts.

    Args:
      argv: the words.
      config_class: its fields are made by ``flag``.
      switches: more flags, off by default, that belong to the command alone.

    Raises:
      UserError: for an unknown flag, a value of the wrong type, a missing flagfile or
        a word that belongs to no flag.
    """
    values = flags.FlagValues()
    define = {
        "str": flags.DEFINE_string,
        "int": flags.DEFINE_integer,
        "float": flags.DEFINE_float,
        "bool": flags.DEFINE_bool,
    }
    fields = dataclasses.fields(config_class)
    for field in fields:
        define[field.type](
            field.name, field.default, flag_of(field).help, flag_values=values
        )
    for name in switches:
        flags.DEFINE_bool(name, False, "", flag_values=values)
    words: list[str] = []
    try:
        words += _resolve_flagfiles(argv)
        rest = values(["", *words])[1:]
    except flags.IllegalFlagValueError as error:
        # absl's own words after the flag and its value are for programmers.
        name, _, value = str(error).removeprefix("flag --").partition("=")
        kind = next((f.type for f in fields if f.name == name), "bool")
        value = value.split(": ", 1)[0]
        raise UserError(f"--{name}={value}: must be {_KINDS[kind]}") from None
    except flags.Error as error:
        message = " ".join(str(error).split())
        message = message[0].lower() + message[1:]
        files = [word for word in words if word.startswith("--flagfile=")]
        unknown = getattr(error, "flagname", "")
        if files and not any(word.lstrip("-").startswith(unknown) for word in argv):
            message = f"{' '.join(files)}: {message}"
        raise UserError(message) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--flagfile: {error}") from None
    if rest:
        raise UserError(f"{rest[0]!r}: belongs to no flag; write --flag=value")
    names = [*(field.name for field in fields), *switches]
    return {name: values[name].value for name in names}


def _resolve_flagfiles(argv: Sequence[str]) -> Iterator[str]:
    """Puts the packaged recipe's path where a flagfile's name is no file here."""
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name.lstrip("-") == "flagfile" and name.startswith("-"):
            if not equals:
                value = next(words, "")
            yield f"--flagfile={find_recipe(value)}"
        else:
            yield word


def recipes() -> dict[str, Path]:
    """The packaged recipes, by name."""
    folder = Path(str(resources.files("tfgan_mnist"))) / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.flags"))}


def find_recipe(name: str) -> Path:
    """The flagfile at this path, or else the packaged recipe of this name."""
    path = Path(name)
    if path.is_file():
        return path
    known = recipes()
    bare = name.removesuffix(".flags")
    if bare in known:
        return known[bare]
    raise UserError(
        f"--flagfile={name}: neither a file nor a recipe; {nearest(bare, known)}"
    )


def recipe_header(path: Path) -> list[str]:
    """The comment lines that a recipe begins with, without their marks."""
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return lines


def read_config(path: Path) -> Config:
    """The Config that a flagfile holds."""
    return Config(**parse_flags([f"--flagfile={path}"], Config))


def grouped_help(config_class: type) -> str:
    """Every flag with its default and meaning, under its group's heading."""
    lines: list[str] = []
    group = None
    for field in dataclasses.fields(config_class):
        rule = flag_of(field)
        if rule.group != group:
            group = rule.group
            lines += ["", f"{group}:"]
        default = field.default
        if isinstance(default, bool):
            name = f"  --[no]{field.name}"
            default = "on" if default else "off"
        else:
            name = f"  --{field.name}"
        text = rule.help + (f" [{default}]" if default != "" else "")
        lines += textwrap.wrap(
            text,
            width=88,
            initial_indent=f"{name:<31} ",
            subsequent_indent=" " * 32,
        )
    return "\n".join(lines[1:])
