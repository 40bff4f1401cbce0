"""The verb ``functrace completion``: completion scripts for shells."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from functrace.cli.render import terminal


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash   echo 'eval "$(functrace completion bash)"' >> ~/.bashrc
    zsh    echo 'eval "$(functrace completion zsh)"' >> ~/.zshrc
    fish   functrace completion fish > ~/.config/fish/completions/functrace.fish
    """
    chosen = get_completion_class(shell)
    root = ctx.find_root()
    if chosen is not None:
        script = chosen(root.command, {}, "functrace", "_FUNCTRACE_COMPLETE").source()
        terminal.write([f"{script}\n".encode()])
