"""Processes: a pool, a pipe, shared memory and a process that fails."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import shared_memory
from multiprocessing.connection import Connection


def collatz(start: int) -> tuple[int, int]:
    steps, n = 0, start
    while n != 1:
        n = 3 * n + 1 if n % 2 else n // 2
        steps += 1
    return steps, start


def double(pipe: Connection) -> None:
    while (number := pipe.recv()) is not None:
        pipe.send(number * 2)


def fill(name: str, index: int) -> None:
    memory = shared_memory.SharedMemory(name=name)
    memory.buf[index] = index * index
    memory.close()


def fail() -> None:
    os._exit(7)


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(4, mp_context=context) as pool:
        print("longest:", max(pool.map(collatz, range(1, 20_000), chunksize=1000)))

    ours, theirs = context.Pipe()
    child = context.Process(target=double, args=(theirs,))
    child.start()
    for number in (1, 21, 10**30):
        ours.send(number)
        print("doubled:", ours.recv())
    ours.send(None)
    child.join()

    memory = shared_memory.SharedMemory(create=True, size=10)
    writers = [context.Process(target=fill, args=(memory.name, n)) for n in range(10)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    print("shared:", list(memory.buf[:10]))
    memory.close()
    memory.unlink()

    failing = context.Process(target=fail)
    failing.start()
    failing.join()
    print("exit codes:", child.exitcode, failing.exitcode)
