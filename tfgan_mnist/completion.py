"""Prints a script that completes commands, flags and their values in a shell."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Mapping, Sequence

from tfgan_mnist import pretrained
from tfgan_mnist.__main__ import COMMANDS
from tfgan_mnist.config import Config, recipes
from tfgan_mnist.system import command
from tfgan_mnist.system.errors import UserError, nearest
from tfgan_mnist.system.flags import flag_of

EXAMPLES = (
    'eval "$(tfgan-mnist completion bash)"',
    "tfgan-mnist completion bash >> ~/.bash_completion",
    'eval "$(tfgan-mnist completion zsh)"',
)
SHELLS = {"bash": "", "zsh": "autoload -U +X bashcompinit && bashcompinit\n"}

# A value stands in a word of its own where the shell breaks words at "=", as bash does,
# and behind its flag where it does not, as in zsh.
_SCRIPT = """\
_tfgan_mnist() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} flag= before= found=
  local previous=${{COMP_WORDS[COMP_CWORD - 1]}}
  if [ "$COMP_CWORD" -gt 1 ]; then
    case $word in
      =) flag=$previous word= ;;
      --*=*) flag=${{word%%=*}} word=${{word#*=}} before=$flag= ;;
      *) [ "$previous" = = ] && flag=${{COMP_WORDS[COMP_CWORD - 2]}} ;;
    esac
  fi
  case "${{COMP_WORDS[1]}} $flag" in
{cases}
  esac
  [ "$COMP_CWORD" -eq 1 ] && found="{commands}"
  if [ -n "$flag" ] && [ -z "$found" ]; then
    COMPREPLY=($(compgen -P "$before" -f -- "$word"))
  else
    COMPREPLY=($(compgen -P "$before" -W "$found" -- "$word"))
    if [ "$COMP_CWORD" -eq 2 ] && [ -z "$flag" ] && [ "$word" = "${{word#-}}" ]; then
      case ${{COMP_WORDS[1]}} in
        {named}) COMPREPLY+=($(compgen -W "{models}" -- "$word")) ;;
      esac
      case ${{COMP_WORDS[1]}} in
        {named}|train|sweep)
          compopt -o filenames 2>/dev/null
          [ -n "$word" ] && COMPREPLY+=($(compgen -f -- "$word")) ;;
      esac
    fi
  fi
  case ${{COMPREPLY[0]}} in *=) compopt -o nospace 2>/dev/null ;; esac
}}
complete -F _tfgan_mnist tfgan-mnist
"""


def words_of(name: str) -> Mapping[str, list[str]]:
    """What can follow a command, under ""; and the known values of its flags."""
    module = importlib.import_module(f"tfgan_mnist.{name}")
    flags = [module.Flags] if hasattr(module, "Flags") else []
    if name == "sweep":  # which takes those of its runs too
        flags.append(Config)
    found: dict[str, list[str]] = {"": ["--help", *getattr(module, "WORDS", ())]}
    for field in (field for each in flags for field in dataclasses.fields(each)):
        switch = field.type == "bool"
        found[""].append(f"--{field.name}" + ("" if switch else "="))
        if values := flag_of(field).choices:
            found[f"--{field.name}"] = [str(value) for value in values]
        if field.name in ("pretrained", "init_from"):
            found[f"--{field.name}"] = pretrained.names()
    if name in ("train", "sweep"):
        switches = getattr(module, "SWITCHES", ())
        found[""] += ["--flagfile=", *(f"--{switch}" for switch in switches)]
        found[""] += found.setdefault("--flagfile", list(recipes()))
    return found


def script(shell: str) -> str:
    """The script for a shell of ``SHELLS``."""
    cases = [
        f'    "{name} {flag}") found="{" ".join(words)}" ;;'
        for name in COMMANDS
        for flag, words in words_of(name).items()
    ]
    body = _SCRIPT.format(
        cases="\n".join(cases),
        commands=" ".join(COMMANDS),
        named="|".join(name for name in COMMANDS if "--pretrained" in words_of(name)),
        models=" ".join(pretrained.names()),
    )
    return SHELLS[shell] + body


WORDS = tuple(SHELLS)


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(command.page(__doc__, EXAMPLES, "Shells:\n  " + "  ".join(SHELLS)))
        return
    if len(argv) != 1 or argv[0] not in SHELLS:
        given = " ".join(argv)
        raise UserError(f"{given!r} is no shell; {nearest(given, SHELLS)}")
    print(script(argv[0]), end="")


if __name__ == "__main__":
    sys.exit(command.run(main))
