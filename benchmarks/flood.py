"""Clients that ask a server for answers: prints requests a second and the 99th percentile, as JSON.

    python -m benchmarks.flood PORT IMAGE --clients 16 --seconds 5 [--rate 300]

Bare sockets, so that the clients cost the machine as little as can be. With a rate, each client
asks at fixed times, and the time from then on counts, even if an earlier answer was late.
"""

import argparse
import json
import socket
import threading
import time
from pathlib import Path


class Client:
    """One connection, one request after the other."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = request
        self.latencies: list[float] = []

    def ask(self, since: float) -> None:
        self.socket.sendall(self.request)
        answer = b""
        while True:
            answer += self.socket.recv(65_536)
            head, end, body = answer.partition(b"\r\n\r\n")
            if end and len(body) >= int(head.lower().split(b"content-length: ")[1].split()[0]):
                break
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode(errors="replace"))
        self.latencies.append(time.perf_counter() - since)

    def flood(self, until: float) -> None:
        while (now := time.perf_counter()) < until:
            self.ask(now)

    def at_times(self, first: float, interval: float, until: float) -> None:
        due = first
        while due < until:
            time.sleep(max(0.0, due - time.perf_counter()))
            self.ask(due)
            due += interval


def main() -> None:
    arguments = _arguments()
    body = arguments.image.read_bytes()
    head = (
        "POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    clients = [Client(arguments.port, head.encode() + body) for _ in range(arguments.clients)]
    started = time.perf_counter()
    until = started + arguments.seconds
    threads = []
    for i, client in enumerate(clients):
        if arguments.rate:
            interval = len(clients) / arguments.rate
            times = (started + i * interval / len(clients), interval, until)
            threads.append(threading.Thread(target=client.at_times, args=times))
        else:
            threads.append(threading.Thread(target=client.flood, args=(until,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    latencies = sorted(latency for client in clients for latency in client.latencies)
    p99 = latencies[int(0.99 * len(latencies))]
    print(json.dumps({"rate": len(latencies) / seconds, "p99": p99}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("image", type=Path)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rate", type=float, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
