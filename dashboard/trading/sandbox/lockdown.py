"""Give up, for good, what a worker does not need of the system. Linux alone; what lacks is told.

The numbers are those of the kernel's headers: seccomp.h, filter.h, landlock.h and the tables of
system calls.
"""

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
SIGKILL = 9
OPEN_FILES = 8
"""The socket, the standard three, and some that Python may hold for a moment."""

SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL = 0x7FFF0000, 0x00050000, 0x80000000
EPERM = 1
LOAD_WORD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
AT_NUMBER, AT_ARCHITECTURE = 0, 4
X32 = 0x40000000
"""Calls of x86_64's third way in have this bit, and numbers of their own."""

MACHINES = ("x86_64", "aarch64")
ALLOWED = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "poll": (7, None),
    "ppoll": (271, 73),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "readv": (19, 65),
    "writev": (20, 66),
    "sched_yield": (24, 124),
    "nanosleep": (35, 101),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "futex": (202, 98),
    "rseq": (334, 293),
    "restart_syscall": (219, 128),
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
"""The system calls that Python and the C library need to compute, and to talk on a socket that is
open; their numbers on each of the machines."""

LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446
LANDLOCK_CREATE_RULESET_VERSION = 1
FILE_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 5: 0xFFFF}
"""All rights to files that a version of Landlock knows; a version between has those of before."""
NET_RIGHTS, SCOPES = 0b11, 0b11
NET_SINCE, SCOPES_SINCE = 4, 6

NO_NEW_PRIVS, SECCOMP, LANDLOCK, RLIMITS = "no_new_privs", "seccomp", "landlock", "rlimits"


class _Filter(ctypes.Structure):
    """A program of seccomp."""

    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_char_p))


def lock_down(*, address_bytes: int) -> list[str]:
    """Give up all but computing and what is open already; give what could not be given up.

    `address_bytes` is what of its address space may come on top of what there is. Children
    are out of the question afterwards, and so is importing.
    """
    if sys.platform != "linux":
        return [RLIMITS, NO_NEW_PRIVS, LANDLOCK, SECCOMP]
    libc = ctypes.CDLL(None, use_errno=True)
    _be_the_first_to_go()
    layers = (
        (RLIMITS, lambda: _limit(address_bytes)),
        (NO_NEW_PRIVS, lambda: _prctl(libc, PR_SET_NO_NEW_PRIVS, 1)),
        (LANDLOCK, lambda: _restrict_files(libc)),
        (SECCOMP, lambda: _restrict_calls(libc)),
    )
    lacking: list[str] = []
    for name, give_up in layers:
        try:
            give_up()
        except (OSError, ValueError, AttributeError):
            lacking.append(name)
    return lacking


def die_with_parent() -> None:
    """Have the kernel end this process when the one that has started it ends, where it can."""
    if sys.platform == "linux":
        _prctl(ctypes.CDLL(None, use_errno=True), PR_SET_PDEATHSIG, SIGKILL)


def _be_the_first_to_go() -> None:
    """Tell the kernel to end this process before others where memory runs out."""
    try:
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("500")
    except OSError:
        return


def _limit(address_bytes: int) -> None:
    with open("/proc/self/statm") as statm:
        present = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    for limit, most in (
        (resource.RLIMIT_AS, present + address_bytes),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def _check(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> None:
    _check(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _restrict_files(libc: ctypes.CDLL) -> None:
    """Forbid all files, and connections where the kernel's Landlock knows of them."""
    version = _check(
        libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    )
    rights = FILE_RIGHTS[max(known for known in FILE_RIGHTS if known <= version)]
    attributes = struct.pack(
        "QQQ",
        rights,
        NET_RIGHTS if version >= NET_SINCE else 0,
        SCOPES if version >= SCOPES_SINCE else 0,
    )
    length = 24 if version >= SCOPES_SINCE else 16 if version >= NET_SINCE else 8
    ruleset = _check(libc.syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(length), 0))
    try:
        _check(libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _restrict_calls(libc: ctypes.CDLL) -> None:
    """Have the kernel refuse every system call but those that are needed."""
    machine = platform.machine()
    numbers = [each[MACHINES.index(machine)] for each in ALLOWED.values()]
    program = _compile(AUDIT_ARCH[machine], [each for each in numbers if each is not None])
    handed = _Filter(len(program) // 8, program)
    _check(libc.syscall(SYS_SECCOMP[machine], SECCOMP_SET_MODE_FILTER, 0, ctypes.byref(handed)))


def _compile(architecture: int, allowed: Sequence[int]) -> bytes:
    """Make the filter's program: each instruction is a code, two jumps and a number."""
    count = len(allowed)
    program = [
        (LOAD_WORD, 0, 0, AT_ARCHITECTURE),
        (JUMP_IF_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, SECCOMP_RET_KILL),
        (LOAD_WORD, 0, 0, AT_NUMBER),
        (JUMP_IF_AT_LEAST, count, 0, X32),
        *((JUMP_IF_EQUAL, count - at, 0, number) for at, number in enumerate(allowed)),
        (RETURN, 0, 0, SECCOMP_RET_ERRNO | EPERM),
        (RETURN, 0, 0, SECCOMP_RET_ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)
