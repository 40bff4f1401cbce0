"""Implementation of ``functrace run``; imports little, since it delays the program's start."""

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

# Test runners: they capture standard output, or it belongs to the tests.
_TESTS = ("pytest", "unittest", "py.test", "nose2")


def start(words: tuple[str, ...], flags: dict[str, Any]) -> NoReturn:
    """Run the program and exit with its status.

    Args:
        words: Python's options, the program and its arguments, as Python takes them.
        flags: the options of ``functrace run``, by name.

    Raises:
        UsageError: an option is invalid.
        FunctraceError: no Python interpreter was found.
    """
    try:
        line = CommandLine(words)
    except ValueError as error:
        raise UsageError(str(error)) from None
    program = line.program
    _check_flags(flags)
    config = _config(flags, line)
    _prepare_cache(config)
    python = interpreter.choose(flags["python"], os.environ)
    if not flags["python"] and not flags["quiet"]:
        _warn_of_environment(python)
    if flags["children"] and not flags["quiet"]:
        _warn_of_children(line)
    _check_program(program)
    command = launch.command(config, python, line)
    if flags["record"]:
        _record(program, command, launch.variables(config), flags)
    variables = {**_variables(flags, program), **launch.variables(config)}
    os.execve(python, command, {**os.environ, **variables})


def _check_flags(flags: dict[str, Any]) -> None:
    if flags["otlp"] and flags["record"]:
        raise UsageError("--otlp and --record cannot be combined")
    if flags["otlp"] and flags["out"]:
        raise UsageError("-o does not apply to --otlp, which sends calls to a collector")


def _check_program(words: tuple[str, ...]) -> None:
    """Raise UsageError with a suggestion if the program is neither a file nor looks like one."""
    name = words[0]
    if name[:1] == "-" or os.sep in name or "." in name or os.access(name, os.F_OK):
        return
    from functrace.cli.suggestions import suggest_run

    suggestion = suggest_run(words) or f"functrace run -m {name}"
    raise UsageError(f"{name}: no such file; did you mean `{suggestion}`?")


def _warn_of_environment(python: str) -> None:
    """Warn if the interpreter is not that of the active environment."""
    active = interpreter.find_ignored_environment(python, os.environ)
    if active:
        warning = f"using {python}, not the active environment {active}; --python selects another"
        messages.write_message(warning, sender="functrace run")


def _warn_of_children(line: CommandLine) -> None:
    """Warn if child processes that inherit the program's options cannot load the import hook."""
    for switch in line.switches:
        if switch in "IES":
            warning = (
                f"--children: processes that inherit -{switch} from the program are not traced"
            )
            messages.write_message(warning, sender="functrace run")
            return


def _config(flags: dict[str, Any], line: CommandLine) -> Config:
    lists = {n: tuple(flags[n]) for n in ("include_path", "exclude_path", "compiled", "deps")}
    for name in ("include", "exclude"):
        if flags[name]:
            from functrace.globs import parse_globs

            lists[name] = parse_globs(flags[name], f"--{name}", f"--{name}-path")
    if any("\n" in word for words in lists.values() for word in words):
        raise UsageError("line break in a pattern; remove it")
    names = (
        "min_lines",
        "exported_only",
        "skip_generated",
        "lambdas",
        "std",
        "quiet",
        "children",
        "record",
    )
    numbers = {name: int(flags[name]) for name in names}
    return Config(**lists, **numbers, joined=line.joined)


def _prepare_cache(config: Config) -> None:
    """Report a problem of the cache; without one, use a temporary folder for the main module."""
    if config.cache_warning:
        messages.write_message(config.cache_warning)
    if config.cache:
        return
    from functrace.cache import leftovers

    try:
        config.cache = leftovers.run_folder()
    except OSError as error:
        raise FunctraceError(str(error)) from None


def _variables(flags: dict[str, Any], words: tuple[str, ...]) -> dict[str, str]:
    """Return the environment variables to set for the program."""
    if flags["overwrite"]:
        raise UsageError("--overwrite requires --record")
    variables = {}
    if any(_limits(flags).values()):
        from functrace.cli.recording import limit_variables

        variables = limit_variables(_limits(flags))
    if flags["otlp"]:
        variables["FUNCTRACE"] = "otlp"
    elif "FUNCTRACE" not in os.environ:
        variables["FUNCTRACE"] = "text"
    mode = variables.get("FUNCTRACE") or os.environ["FUNCTRACE"]
    if mode == "otlp" and "FUNCTRACE_PYTHON" not in os.environ:
        variables["FUNCTRACE_PYTHON"] = sys.executable  # its environment may lack the sender
    if flags["out"]:
        variables["FUNCTRACE_OUT"] = flags["out"]
    elif mode == "text" and "FUNCTRACE_OUT" not in os.environ and _is_test(words):
        import tempfile

        folder = tempfile.mkdtemp(prefix="functrace-test-")
        variables["FUNCTRACE_OUT"] = f"{folder.replace('%', '%%')}/%p.txt"
        if not flags["quiet"]:
            messages.write_message(f"call chains: {folder}", sender="functrace run")
    return variables


def _limits(flags: dict[str, Any]) -> dict[str, Any]:
    """Return the limits that the runtime enforces; filters apply during instrumentation."""
    return {name: flags[name] for name in ("max_size", "overwrite", "min_duration", "depth")}


def _is_test(words: tuple[str, ...]) -> bool:
    return len(words) > 1 and words[0] == "-m" and words[1] in _TESTS


def _record(
    words: tuple[str, ...], command: list[str], hook: dict[str, str], flags: dict[str, Any]
) -> NoReturn:
    """Run the program as a child process, print a summary and exit with its status."""
    import resource
    import signal

    from functrace.cli.recording import record_variables, run_recorded

    named = [word for word in words[:2] if word not in ("-m", "-c", "-")]
    program = os.path.basename(named[0]) if named and words[0] != "-c" else "python"
    done = run_recorded(
        "run",
        command,
        program=program,
        out=flags["out"],
        variables={**record_variables(_limits(flags)), **hook},
        no_trace_lines=("no function of the program was instrumented, or none was called",),
        quiet=flags["quiet"],
    )
    if done.signal:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one core file is enough
        if done.signal not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(done.signal, signal.SIG_DFL)
        os.kill(os.getpid(), done.signal)
    sys.exit(done.status)
