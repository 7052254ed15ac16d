"""asyncio: a pipeline, a task group, timeouts, cancelling, and a server on loopback."""

import asyncio
from collections.abc import AsyncIterator


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(0)
        yield number


async def produce(queue: asyncio.Queue[int | None]) -> None:
    async for number in numbers(100):
        await queue.put(number)
    for _ in range(3):
        await queue.put(None)


async def consume(queue: asyncio.Queue[int | None]) -> int:
    total = 0
    while (number := await queue.get()) is not None:
        total += number
    return total


async def pipeline() -> None:
    queue: asyncio.Queue[int | None] = asyncio.Queue(maxsize=5)
    async with asyncio.TaskGroup() as group:
        group.create_task(produce(queue))
        consumers = [group.create_task(consume(queue)) for _ in range(3)]
    print("consumed:", sum(task.result() for task in consumers))


async def failing() -> None:
    async def fail(after: float) -> None:
        await asyncio.sleep(after)
        raise LookupError(after)

    try:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(asyncio.sleep(60))
            group.create_task(fail(0.01))
    except* LookupError as errors:
        print("failed:", errors.exceptions, "others cancelled:", waiting.cancelled())


async def timing() -> None:
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)
    except TimeoutError:
        print("timed out")
    done, pending = await asyncio.wait(
        [asyncio.create_task(asyncio.sleep(seconds, seconds)) for seconds in (0, 60)],
        return_when=asyncio.FIRST_COMPLETED,
    )
    for task in pending:
        task.cancel()
    print("first:", [task.result() for task in done], "pending:", len(pending))


async def talking() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    async def ask(port: int, text: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{text}\n".encode())
        answer = await reader.readline()
        writer.close()
        return answer.decode().strip()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(await asyncio.gather(*(ask(port, f"client {n}") for n in range(5))))
    server.close()


async def running() -> None:
    process = await asyncio.create_subprocess_exec(
        "tr", "a-z", "A-Z", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(b"from another process")
    print(output.decode(), process.returncode, await asyncio.to_thread(sum, range(10)))


async def main() -> None:
    await pipeline()
    await failing()
    await timing()
    await talking()
    await running()


asyncio.run(main())
