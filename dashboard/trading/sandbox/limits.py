"""What a strategy may use, and what a worker is given."""

import msgspec

KB = 1024
MB = 1024 * KB


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of the sandbox; those of a call hold for the top level of the code, too.

    `memory_bytes` is a runner's, and so is `log_bytes`, a second. A context counts the bytes of
    its keys and strings, and 8 for each other value.
    """

    memory_bytes: int = 32 * MB
    instructions: int = 10_000_000
    context_bytes: int = 64 * KB
    log_bytes: int = 64 * KB
    error_bytes: int = KB
    indicators: int = 100
    """How many different ones a runner may ask for."""
    runners: int = 50
    """How many share a worker."""
    workers: int = 16
    """How many there are at most before a busy runner stays where it is; others always get one."""
    queued_ticks: int = 1_000
    """How many ticks of a runner wait; then the oldest are dropped."""
    call_cpu_ms: int = 300
    """What a call may take of the worker's CPU before the worker is killed."""
    call_wall_ms: int = 2_000
    busy_ms: int = 200
    """What the calls of a runner may take of the CPU in a second before it gets its own worker."""
    share_ms: int = 10
    """What a runner's ticks may take of a message; what is over waits for the next one."""
    message_ms: int = 50
    """What a message may take; the runners that it did not come to are the first of the next."""

    @property
    def worker_bytes(self) -> int:
        """Give the address space that a worker may have beyond what it begins with."""
        return (self.runners + 1) * (self.memory_bytes + 2 * MB) + 256 * MB
