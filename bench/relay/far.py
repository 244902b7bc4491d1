"""Makes the relay far away: passes every byte on after a delay, in both directions. Runs inside the testbed's network.

far.py ADDRESS PORT TO-PORT MILLISECONDS. Not every kernel has a queueing discipline that delays.
"""

import asyncio
import sys


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Each piece is written `delay` after it was read, however many are under way."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        loop.call_later(delay, writer.write, data)
    loop.call_later(delay, writer.close)


async def main(address: str, port: str, to_port: str, milliseconds: str) -> None:
    delay = float(milliseconds) / 1000

    async def serve(near_reader: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(address, int(to_port))
        await asyncio.gather(
            pass_on(near_reader, far_writer, delay), pass_on(far_reader, near_writer, delay), return_exceptions=True
        )

    server = await asyncio.start_server(serve, address, int(port))
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
