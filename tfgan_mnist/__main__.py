"""``python -m tfgan_mnist COMMAND``: the same as the program ``tfgan-mnist``."""

import sys

from tfgan_mnist.system.command import console

if __name__ == "__main__":
    sys.exit(console())
