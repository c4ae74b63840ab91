"""A program: a Ray cluster on 127.0.0.1 with a CPU a node, which lasts as long as its stdin.

Prints one line of JSON: its address, the process that is each node, and all its processes. `ray
start` would listen on all interfaces.
"""

import contextlib
import json
import signal
import sys

from ray.cluster_utils import Cluster

BYTES = 80_000_000
"""Of each object store: the least that Ray takes is 75 MB."""


def main(n_nodes: int) -> None:
    options = {"num_cpus": 1, "object_store_memory": BYTES, "include_dashboard": False}
    with contextlib.redirect_stdout(sys.stderr):
        cluster = Cluster(initialize_head=True, head_node_args=options)
        nodes = [cluster.head_node, *(cluster.add_node(**options) for _ in range(n_nodes - 1))]
    processes = [
        info.process for node in nodes for infos in node.all_processes.values() for info in infos
    ]
    told = {
        "address": cluster.address,
        "nodes": [node.all_processes["raylet"][0].process.pid for node in nodes],
        "processes": [process.pid for process in processes],
    }
    # Workers end when their node is gone; one that nobody has waited for is still there.
    signal.signal(signal.SIGCHLD, lambda *_: [process.poll() for process in processes])
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    cluster.shutdown()


main(int(sys.argv[1]))
