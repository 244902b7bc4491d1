"""A listening socket whose every connection gets a thread of its own."""

import contextlib
import socket
import threading
from collections.abc import Callable


class Acceptor:
    """Calls `serve` with each connection, which is then its own to close, until close()."""

    def __init__(self, listener: socket.socket, serve: Callable[[socket.socket], None]):
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._serve = serve
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nobody is let in any more and the port is free; what was let in goes on. Again it does nothing."""
        # Closing alone doesn't wake the thread in accept(), and the port would still answer.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
