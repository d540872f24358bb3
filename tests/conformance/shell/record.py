#!/usr/bin/env python3
"""Records what real bash and the GNU tools answer to the scripts in `cases/`.

Each case runs twice as `bash -c SCRIPT`, unprivileged, in an empty /workspace of its own (a private mount, as is
/tmp), with a fixed environment. Its standard output and exit status, and where the case has the key `stderr` its
standard error, are written back into the case. A case whose two runs differ is refused: it would test chance.

Recorded on Debian 12 with the packages
  apt-get install bash bc binutils bsdextrautils bzip2 coreutils diffutils file findutils gawk gettext-base grep \\
    gzip jq make ncal patch procps ripgrep sed sqlite3 tar tree unzip util-linux xxd xz-utils zip zstd
Run as root, or as a user who may make user namespaces (then /workspace must exist).
"""

import argparse
import base64
import collections
import ctypes
import functools
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys

import case_file

HERE = pathlib.Path(__file__).resolve().parent
WORKSPACE = "/workspace"
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": WORKSPACE,
    "USER": "agent",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "TZ": "UTC",
    "PWD": WORKSPACE,
    "SHELL": "/bin/bash",
}
# The accounts that every hand has, see `runtime/src/fs/texts.rs`.
PASSWD = (
    "root:x:0:0:root:/workspace:/bin/sh\n"
    "agent:x:1000:1000:agent:/workspace:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/:/bin/false\n"
)
GROUP = "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n"
AGENT = 1000
# A script that takes longer waits for something that never comes.
SECONDS_MAX = 10
KEYS = ("name", "tree", "script", "files", "stdin", "stdout", "stdout_base64", "stderr", "status", "gap")
PACKAGES = (
    "bash bc binutils bsdextrautils bzip2 coreutils diffutils file findutils gawk gettext-base grep gzip jq make "
    "ncal patch procps ripgrep sed sqlite3 tar tree unzip util-linux xxd xz-utils zip zstd"
).split()

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_MOUNTS, NEW_USER = 0x20000, 0x10000000
BIND, RECURSIVE, PRIVATE = 4096, 16384, 1 << 18


class Refused(Exception):
    """Why a case has no recording."""


def kernel(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def mount(source, target, kind, flags, options):
    text = options.encode() if options else None
    kernel(LIBC.mount(source.encode(), target.encode(), kind.encode(), flags, text), "mount on " + target)


def new_user(inside, outside_user, outside_group):
    kernel(LIBC.unshare(NEW_USER), "new user namespace")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", "%d %d 1" % (inside, outside_user)),
        ("gid_map", "%d %d 1" % (inside, outside_group)),
    ):
        pathlib.Path("/proc/self", name).write_text(text)


def enter_workspace(files):
    """Gives this process an empty /workspace with a case's files, and makes it the agent."""
    is_root = os.getuid() == 0
    if not is_root:
        new_user(0, os.getuid(), os.getgid())
    kernel(LIBC.unshare(NEW_MOUNTS), "new mount namespace")
    mount("none", "/", "none", RECURSIVE | PRIVATE, None)
    mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777")
    for name, text in (("passwd", PASSWD), ("group", GROUP)):
        path = pathlib.Path("/tmp", name)
        path.write_text(text)
        path.chmod(0o644)
        mount(str(path), "/etc/" + name, "none", BIND, None)
    mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777")
    mount("tmpfs", WORKSPACE, "tmpfs", 0, "mode=755")
    if is_root:
        os.chown(WORKSPACE, AGENT, AGENT)
        os.setgroups([])
        os.setgid(AGENT)
        os.setuid(AGENT)
    else:
        new_user(AGENT, 0, 0)
    os.umask(0o022)
    os.chdir(WORKSPACE)
    for name, value in files.items():
        make_file(name, value if isinstance(value, dict) else {"content": value})


def make_file(name, value):
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if "link" in value:
        path.symlink_to(value["link"])
        return
    if name.endswith("/"):
        path.mkdir(exist_ok=True)
    elif "base64" in value:
        path.write_bytes(base64.b64decode(value["base64"]))
    else:
        path.write_bytes(value["content"].encode())
    if "mode" in value:
        path.chmod(int(value["mode"], 8))


@functools.cache
def tree(name):
    """Returns the files of a tree that several cases share."""
    return case_file.read((HERE / "trees" / (name + ".yaml")).read_text())


def run(case):
    """Returns what one run of a case gave."""
    files = dict(tree(case["tree"])) if "tree" in case else {}
    files.update(case.get("files", {}))
    child = subprocess.Popen(
        ["bash", "-c", case["script"]],
        executable="/bin/bash",
        stdin=subprocess.PIPE if "stdin" in case else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        start_new_session=True,
        preexec_fn=lambda: enter_workspace(files),
    )
    try:
        given = case["stdin"].encode() if "stdin" in case else None
        stdout, stderr = child.communicate(given, timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise Refused("took longer than %d s" % SECONDS_MAX)
    finally:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    status = child.returncode
    found = {}
    try:
        found["stdout"] = stdout.decode()
    except UnicodeDecodeError:
        found["stdout_base64"] = base64.b64encode(stdout).decode()
    if "stderr" in case:
        found["stderr"] = stderr.decode(errors="backslashreplace")
    found["status"] = status if status >= 0 else 128 - status
    return found


def record(case):
    """Returns the case with its expectations, or why there are none."""
    try:
        for key in case:
            if key not in KEYS:
                raise Refused("unknown key `%s`" % key)
        first, second = run(case), run(case)
        if first != second:
            raise Refused("two runs differ:\n    %r\n    %r" % (first, second))
    except (Refused, OSError, subprocess.SubprocessError) as reason:
        return None, str(reason)
    recorded = {key: case[key] for key in case if key not in ("stdout", "stdout_base64", "stderr", "status")}
    recorded.update(first)
    return {key: recorded[key] for key in KEYS if key in recorded}, None


def duplicates(areas):
    """Returns a line for each case whose name or script another case has."""
    problems, scripts = [], {}
    for path, cases in areas.items():
        names = set()
        for case in cases:
            place = "%s: %s" % (path.relative_to(HERE), case["name"])
            if case["name"] in names:
                problems.append(place + ": second case of this name")
            names.add(case["name"])
            # The same script over other input is another case.
            content = (case["script"].strip(), repr(case.get("files")), case.get("stdin"))
            if content in scripts:
                problems.append(place + ": same script as " + scripts[content])
            scripts.setdefault(content, place)
    return problems


def versions():
    """Returns the version of each package that answers a case."""
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES], capture_output=True, text=True
    )
    if answer.returncode != 0:
        sys.exit(answer.stderr + "install these packages first, see --help")
    return dict(line.split(" ") for line in answer.stdout.splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="case files, all of them if none is named")
    parser.add_argument("--check", action="store_true", help="write nothing, say which expectations changed")
    arguments = parser.parse_args()
    if not os.path.isdir(WORKSPACE):
        if os.getuid() != 0:
            sys.exit("make an empty directory %s first, the cases run there" % WORKSPACE)
        os.mkdir(WORKSPACE)
    every = sorted((HERE / "cases").rglob("*.yaml"))
    chosen = [path.resolve() for path in arguments.files] or every
    installed = versions()
    areas = {}
    for path in sorted({*every, *chosen}):
        try:
            areas[path] = case_file.read(path.read_text())
        except (case_file.FormatError, ValueError) as problem:
            sys.exit("%s: %s" % (path, problem))
    problems = duplicates(areas)
    with multiprocessing.Pool(2 * (os.cpu_count() or 1)) as pool:
        for path in chosen:
            results = pool.map(record, areas[path], chunksize=4)
            for index, (recorded, refusal) in enumerate(results):
                place = "%s: %s" % (path.relative_to(HERE), areas[path][index]["name"])
                if refusal:
                    problems.append(place + ": " + refusal)
                    continue
                if arguments.check and recorded != areas[path][index]:
                    problems.append(place + ": the expectation changed")
                areas[path][index] = recorded
            if not arguments.check:
                path.write_text(case_file.write(areas[path]))
    versions_path = HERE / "versions.yaml"
    if not arguments.check:
        versions_path.write_text(case_file.write(installed))
    elif not versions_path.exists() or case_file.read(versions_path.read_text()) != installed:
        problems.append("versions.yaml: the installed packages are others")
    totals = collections.Counter()
    for path, cases in areas.items():
        totals[str(path.relative_to(HERE / "cases").parent)] += len(cases)
        print("%5d  %s" % (len(cases), path.relative_to(HERE / "cases")))
    for area, count in sorted(totals.items()):
        print("%5d  %s" % (count, area))
    print("%5d  in all" % totals.total())
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
