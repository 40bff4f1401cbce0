"""What functrace run does. It loads next to nothing, as the program waits for it."""

from __future__ import annotations

import os
import sys

from functrace import messages
from functrace.errors import FunctraceError, UsageError
from functrace.pyimport import interpreter, launch
from functrace.pyimport.command_line import CommandLine
from functrace.pyimport.config import Config

TYPE_CHECKING = False  # typing takes longer to load than all of this
if TYPE_CHECKING:
    from typing import Any, NoReturn

# Programs whose standard output is read, or is that of the tests they run.
_TESTS = ("pytest", "unittest", "py.test", "nose2")


def start(words: tuple[str, ...], flags: dict[str, Any]) -> NoReturn:
    """Run the program and end as it ends.

    Args:
        words: Python's options, the program and its arguments, as Python takes them.
        flags: the options of ``functrace run``, by name.

    Raises:
        UsageError: an option makes no sense.
        FunctraceError: there is no Python to run it.
    """
    try:
        line = CommandLine(words)
    except ValueError as error:
        raise UsageError(str(error)) from None
    program = line.program
    _check_ways(flags)
    config = _config(flags, line)
    _settle_cache(config)
    python = interpreter.choose(flags["python"], os.environ)
    if not flags["python"] and not flags["quiet"]:
        _tell_of_environment(python)
    if flags["children"] and not flags["quiet"]:
        _tell_of_children(line)
    _check(program)
    command = launch.command(config, python, line)
    if flags["record"]:
        _record(program, command, launch.variables(config), flags)
    given = {**_variables(flags, program), **launch.variables(config)}
    os.execve(python, command, {**os.environ, **given})


def _check_ways(flags: dict[str, Any]) -> None:
    if flags["otlp"] and flags["record"]:
        raise UsageError("--otlp sends calls, --record keeps them: one of the two")
    if flags["otlp"] and flags["out"]:
        raise UsageError("--otlp sends calls: -o says nothing to it")


def _check(words: tuple[str, ...]) -> None:
    """Say what is to be typed in place of what is neither a file nor looks like one."""
    name = words[0]
    if name[:1] == "-" or os.sep in name or "." in name or os.access(name, os.F_OK):
        return
    from functrace.cli.suggestions import run_instead

    meant = run_instead(words) or f"functrace run -m {name}"
    raise UsageError(f"{name}: no such file; did you mean `{meant}`?")


def _tell_of_environment(python: str) -> None:
    """Say so where the user may think that another environment is taken: the one that is active."""
    active = interpreter.passed_over(python, os.environ)
    if active:
        said = f"with {python}, not the active environment {active}; --python names another"
        messages.say(said, sender="functrace run")


def _tell_of_children(line: CommandLine) -> None:
    """Say that processes which get the program's options will not look where our hook is."""
    for switch in line.switches:
        if switch in "IES":
            said = f"no process that is started with -{switch}, as this one is, will be traced"
            messages.say(f"--children: {said}", sender="functrace run")
            return


def _config(flags: dict[str, Any], line: CommandLine) -> Config:
    lists = {n: tuple(flags[n]) for n in ("include", "exclude", "compiled", "deps")}
    if any("\n" in word for words in lists.values() for word in words):
        raise UsageError("a pattern has no line breaks")
    names = ("min_lines", "exported_only", "skip_generated", "lambdas", "std", "quiet", "children")
    numbers = {name: int(flags[name]) for name in names}
    return Config(**lists, **numbers, joined=line.joined)


def _settle_cache(config: Config) -> None:
    """Say what is wrong with the cache; without one, the main module still needs a folder."""
    if config.cache_warning:
        messages.say(config.cache_warning)
    if config.cache:
        return
    from functrace.cache import leftovers

    try:
        config.cache = leftovers.run_folder()
    except OSError as error:
        raise FunctraceError(str(error)) from None


def _variables(flags: dict[str, Any], words: tuple[str, ...]) -> dict[str, str]:
    """Return the variables that the options set in the environment of the program."""
    if flags["overwrite"]:
        raise UsageError("--overwrite is for --record")
    given = {}
    if any(_limits(flags).values()):
        from functrace.cli.recording import limiting

        given = limiting(_limits(flags))
    if flags["otlp"]:
        given["FUNCTRACE"] = "otlp"
    elif "FUNCTRACE" not in os.environ:
        given["FUNCTRACE"] = "text"
    mode = given.get("FUNCTRACE") or os.environ["FUNCTRACE"]
    if mode == "otlp" and "FUNCTRACE_PYTHON" not in os.environ:
        given["FUNCTRACE_PYTHON"] = sys.executable  # what sends may not be in the program's
    if flags["out"]:
        given["FUNCTRACE_OUT"] = flags["out"]
    elif mode == "text" and "FUNCTRACE_OUT" not in os.environ and _is_test(words):
        import tempfile

        folder = tempfile.mkdtemp(prefix="functrace-test-")
        given["FUNCTRACE_OUT"] = f"{folder.replace('%', '%%')}/%p.txt"
        if not flags["quiet"]:
            messages.say(f"call chains: {folder}", sender="functrace run")
    return given


def _limits(flags: dict[str, Any]) -> dict[str, Any]:
    """What the runtime is to obey; the filters have done their work when it is instrumented."""
    return {name: flags[name] for name in ("max_size", "overwrite", "min_duration", "depth")}


def _is_test(words: tuple[str, ...]) -> bool:
    return len(words) > 1 and words[0] == "-m" and words[1] in _TESTS


def _record(
    words: tuple[str, ...], command: list[str], hook: dict[str, str], flags: dict[str, Any]
) -> NoReturn:
    """Run it as a process of ours, for a word about its trace, and end as it has ended."""
    import resource
    import signal

    from functrace.cli.recording import keep, variables

    named = [word for word in words[:2] if word not in ("-m", "-c", "-")]
    program = os.path.basename(named[0]) if named and words[0] != "-c" else "python"
    done = keep(
        "run",
        command,
        program=program,
        out=flags["out"],
        given={**variables(_limits(flags)), **hook},
        none=("no function of it was instrumented, or none was called",),
        quiet=flags["quiet"],
    )
    if done.signal:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one core file is enough
        if done.signal not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(done.signal, signal.SIG_DFL)
        os.kill(os.getpid(), done.signal)
    sys.exit(done.status)
