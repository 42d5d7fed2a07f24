"""Says what was found here, what will be slow, and what to do about it."""

from __future__ import annotations

import dataclasses
import os
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tfgan_mnist import __version__
from tfgan_mnist.system import command, interrupts
from tfgan_mnist.system.files import check_folder
from tfgan_mnist.system.flags import check_flags, flag, grouped_help, parse_flags

EXAMPLES = (
    "tfgan-mnist doctor",
    "tfgan-mnist doctor --data_dir=FOLDER",
    "TF_ENABLE_ONEDNN_OPTS=0 tfgan-mnist doctor",
)


@dataclasses.dataclass(frozen=True)
class Flags:
    data_dir: str = flag(
        "",
        "Data",
        "folder where a prepared copy of MNIST is looked for; empty: "
        "tensorflow-datasets' own",
    )

    def __post_init__(self):
        check_flags(self)
        if self.data_dir:
            check_folder(Path(self.data_dir), "--data_dir")


@dataclasses.dataclass(frozen=True)
class Machine:
    """What training depends on.

    Attributes:
      cores: that this process may use.
      instructions: those of the processor that speed up arithmetic, the best last;
        empty if the system does not tell.
      onednn: whether TensorFlow's oneDNN kernels are on.
      gpus: names of those that TensorFlow sees.
      nvidia: whether there is an NVIDIA driver.
      data: the folder with a prepared copy of MNIST; empty if there is none.
      free: gigabytes of disk here.
    """

    cores: int
    instructions: tuple[str, ...]
    onednn: bool
    gpus: tuple[str, ...]
    nvidia: bool
    data: str
    free: float


_INSTRUCTIONS = {"avx2": "AVX2", "avx512f": "AVX-512", "amx_tile": "AMX"}


def instructions() -> tuple[str, ...]:
    """Of this processor, as ``Machine`` has them."""
    if platform.machine() in ("arm64", "aarch64"):
        return ("NEON",)
    try:
        flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        return ()
    found = set(flags[1].split()) if flags else set()
    return tuple(name for flag, name in _INSTRUCTIONS.items() if flag in found)


def look(data_dir: str = "") -> Machine:
    """This machine. Loads TensorFlow."""
    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
        import tensorflow as tf
    gpus = [
        tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    affinity = getattr(os, "sched_getaffinity", None)
    home = os.environ.get("TFDS_DATA_DIR", Path.home() / "tensorflow_datasets")
    data = Path(data_dir or home)
    return Machine(
        cores=len(affinity(0)) if affinity else os.cpu_count() or 1,
        instructions=instructions(),
        onednn=os.environ["TF_ENABLE_ONEDNN_OPTS"] != "0",
        gpus=tuple(gpus),
        nvidia=Path("/proc/driver/nvidia").exists() or bool(shutil.which("nvidia-smi")),
        data=str(data) if [*data.glob("mnist/*/dataset_info.json")] else "",
        free=shutil.disk_usage(".").free / 1e9,
    )


def advice(machine: Machine) -> list[str]:
    """What will be slow or fail, and what to do: a sentence each."""
    found = []
    if machine.nvidia and not machine.gpus:
        found.append(
            "TensorFlow does not see the NVIDIA GPU: pip install "
            "'tensorflow[and-cuda]' brings the CUDA libraries (on Windows in WSL 2)."
        )
    elif not machine.gpus:
        found.append(
            "Without a GPU dcgan, dcgan_tutorial and cdcgan take hours; dcgan_fast "
            "takes a minute on two cores, cdcgan_fast two."
        )
    if not machine.onednn and not machine.gpus:
        found.append(
            "TF_ENABLE_ONEDNN_OPTS=0 turns oneDNN's kernels off: training takes up to "
            "four times as long on a processor without AVX-512. Unset it."
        )
    if machine.cores == 1:
        found.append(
            "One core: a recipe that stops at --max_seconds makes about half the steps "
            "it makes on two."
        )
    if machine.instructions and machine.instructions[-1] == "AVX2":
        found.append(
            "The processor has no AVX-512; most figures in the documentation are from "
            "one that has it."
        )
    if not machine.data:
        found.append(
            "MNIST is not prepared: it is downloaded on first use. --data_dir=FOLDER "
            "names a prepared copy, and --dataset=mnist5k needs no network."
        )
    if machine.free < 1:
        found.append(
            f"Only {machine.free:.1f} GB of disk are free here; three checkpoints "
            "of dcgan take a third of one. Give another --run_dir."
        )
    return found


def table(machine: Machine) -> list[str]:
    """What was found, a line each."""
    import keras
    import tensorflow as tf

    cores = f"{machine.cores} core{'s' * (machine.cores != 1)}"
    rows = {
        "tfgan_mnist": f"{__version__}, Python {platform.python_version()} on "
        f"{platform.system()} {platform.machine()}",
        "TensorFlow": tf.__version__,
        "Keras": f"{keras.__version__} on {keras.backend.backend()}",
        "processor": f"{cores}, {' '.join(machine.instructions) or 'unknown'}",
        "oneDNN": "on" if machine.onednn else "off",
        "GPU": ", ".join(machine.gpus) or "none",
        "data": f"mnist in {machine.data}, " * bool(machine.data)
        + "mnist5k in the package",
        "disk": f"{machine.free:.0f} GB free here",
    }
    return [f"{name:<13}{value}" for name, value in rows.items()]


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(command.page(__doc__, EXAMPLES, grouped_help(Flags)))
        return
    flags = Flags(**parse_flags(argv, Flags))
    machine = look(flags.data_dir)
    print("\n".join(table(machine)))
    found = advice(machine) or ["Nothing stands in the way."]
    print("\n" + "\n".join(f"- {sentence}" for sentence in found))


if __name__ == "__main__":
    sys.exit(command.run(main))
