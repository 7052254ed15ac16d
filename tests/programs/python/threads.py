"""Threads: a pool, a queue, a lock, a barrier, an event and thread-local data."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

WORKERS = 8


def is_prime(n: int) -> bool:
    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))


with ThreadPoolExecutor(WORKERS) as pool:
    ranges = [range(start, start + 2500) for start in range(0, 20_000, 2500)]
    futures = [pool.submit(lambda numbers: sum(map(is_prime, numbers)), r) for r in ranges]
    print("primes below 20000:", sum(future.result() for future in as_completed(futures)))

tasks: queue.Queue[int | None] = queue.Queue(maxsize=10)
results: list[int] = []
lock = threading.Lock()
local = threading.local()


def work() -> None:
    local.done = 0
    while (task := tasks.get()) is not None:
        with lock:
            results.append(task * task)
        local.done += 1
    with lock:
        counts.append(local.done)


counts: list[int] = []
workers = [threading.Thread(target=work, name=f"worker {n}") for n in range(WORKERS)]
for worker in workers:
    worker.start()
for number in range(1000):
    tasks.put(number)
for _ in workers:
    tasks.put(None)
for worker in workers:
    worker.join()
print("squares:", len(results), sum(results), "by workers:", sum(counts))

barrier = threading.Barrier(4)
ready = threading.Event()
order: list[int] = []


def race() -> None:
    order.append(barrier.wait())
    ready.wait()


racers = [threading.Thread(target=race) for _ in range(4)]
for racer in racers:
    racer.start()
while len(order) < 4:
    pass
ready.set()
for racer in racers:
    racer.join()
print("through the barrier:", sorted(order), "alive:", threading.active_count())
