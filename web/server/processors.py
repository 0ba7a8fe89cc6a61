"""Which processor a thread runs on."""

import contextlib
import os


def processors_for(processes: int) -> list[int | None]:
    """One for each of so many processes where there are just as many for us; None: wherever there is room."""
    if not hasattr(os, "sched_getaffinity"):
        return [None] * processes
    ours = sorted(os.sched_getaffinity(0))
    return [*ours] if len(ours) == processes else [None] * processes


def stay_on(processor: int | None) -> None:
    """Run the thread that calls this on that processor from now on, as long as the system lets it."""
    if processor is not None:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {processor})
