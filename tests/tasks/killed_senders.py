"""Senders that are killed: forks workers that deliver, and again and again kills one that has a claim under way
(``kill -9``, at once or a random moment later) and puts another in its place, until nothing waits. Run as a program, so
that forks share no thread and no connection with a test: ``python -m tests.tasks.killed_senders WORKERS KILLS CHANNEL``;
prints how many it killed, and how many ended by themselves, which none should."""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import time

from sqlalchemy import text

from tasks.delivery import deliver_batch
from tasks.transaction import reading

LASTS = 60.0  # seconds, then it gives up
LATER = (0.0, 0.3)  # seconds from seeing a claim to every second kill; the others come at once


def deliver_for_ever() -> None:
    while True:
        if not any(deliver_batch.fn().values()):
            time.sleep(0.02)


def worker() -> int:
    pid = os.fork()
    if pid == 0:
        try:
            random.seed()
            deliver_for_ever()
        except Exception:
            logging.exception("a worker ended by itself")
        finally:
            sys.stderr.flush()
            os._exit(1)
    return pid


def kill(pid: int) -> bool:
    """False when it had ended by itself, which it never should."""
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def standing(channel: str) -> list[tuple[str, str]]:
    """State and claimant of what is not settled."""
    with reading() as session:
        wanted = "SELECT state, claimed_by FROM outbox WHERE channel = :channel AND state IN ('pending', 'claimed')"
        return [(str(state), str(by)) for state, by in session.execute(text(wanted), {"channel": channel})]


def main(workers: int, kills: int, channel: str) -> None:
    until = time.monotonic() + LASTS
    running = [worker() for _ in range(workers)]
    killed = died = 0
    while (found := standing(channel)) and time.monotonic() < until:
        busy = [pid for pid in running if any(state == "claimed" and by.endswith(f":{pid}") for state, by in found)]
        if killed < kills and busy:
            one = random.choice(busy)
            time.sleep(random.uniform(*LATER) if killed % 2 else 0.0)
            killed, died = (killed + 1, died) if kill(one) else (killed, died + 1)
            running.remove(one)
            running.append(worker())
        elif all(state == "claimed" for state, _ in found) and not busy:
            break  # what is left was claimed by the dead
        else:
            time.sleep(0.02)
    for one in running:
        died += not kill(one)
    print(f"{killed} {died}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
