"""Starts greeter servers and clients, and counts the answers: for the tests of the examples and for
script/demo.

Depends on the output of the greeter's two programs. Must not depend on: gRPC, Steer.
"""

import collections
import contextlib
import os
import queue
import re
import subprocess
import threading
import time
import typing

ANSWER = re.compile(r"(?P<name>[\w-]+) at (?P<address>\S+): Hello")
# In seconds; enough for a busy machine.
SERVER_PATIENCE = 60
CLIENT_PATIENCE = 300


class Failed(Exception):
    """A test or the demo failed."""


def require(held, otherwise):
    if not held:
        raise Failed(otherwise)


def started(command, variables=(), **options):
    """Starts a program. `variables` are added to the environment."""
    # With these variables, calls to 127.0.0.1 would go to a proxy.
    proxies = ("http_proxy", "https_proxy", "grpc_proxy")
    environment = {k: v for k, v in os.environ.items() if k not in proxies}
    environment.update(variables)
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, **options)


def lines_of(process, patience):
    """Yields the lines that the process prints, to its end. Fails if it prints nothing for
    `patience` seconds."""
    said = queue.SimpleQueue()

    # A thread, because select() does not see lines that wait in stdout's buffer.
    def listen():
        for line in process.stdout:
            said.put(line.rstrip("\n"))
        said.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        try:
            line = said.get(timeout=patience)
        except queue.Empty:
            raise Failed(f"{process.args[0]} printed nothing for {patience} s") from None
        if line is None:
            return
        yield line


def stopped(process):
    if process.poll() is None:
        process.kill()
    process.wait()


class Server:
    """A greeter_server that runs until `cleanup`, a contextlib.ExitStack, is closed."""

    def __init__(self, program, name, cleanup, *arguments):
        self.name = name
        self.address = "127.0.0.1:0"
        self._command = [program, f"--name={name}", *arguments]
        self._cleanup = cleanup
        self.start()

    def start(self, *arguments):
        """Starts the server: the first time on any free port, later on the same port again.
        `arguments` are for this start only."""
        port = self.address.split(":")[1]
        self.process = started([*self._command, *arguments, f"--port={port}"])
        self._cleanup.callback(stopped, self.process)
        self.lines = lines_of(self.process, SERVER_PATIENCE)
        line = next(self.lines, "nothing, and it ended")
        listening = re.match(rf"listening: {self.name} at (\S+)", line)
        require(listening, f"{self.name} did not start; it printed: {line}")
        self.address = listening[1]


@contextlib.contextmanager
def serving(program, *names):
    """Runs servers of these names, in this order, during a `with`."""
    with contextlib.ExitStack() as cleanup:
        yield [Server(program, name, cleanup) for name in names]


def target(servers):
    """Returns the servers as a gRPC target."""
    return "ipv4:" + ",".join(server.address for server in servers)


class Greeted(typing.NamedTuple):
    """The results of a client's calls."""

    order: list  # the names of the servers that answered, call after call
    failures: list  # the lines of failed calls
    code: int  # the client's exit status

    @property
    def answered(self):
        """Returns the number of answers of each server."""
        return collections.Counter(self.order)


class Greeting:
    """A greeter client that calls without a limit, during a `with`."""

    def __init__(self, client, servers, *arguments):
        command = [client, f"--target={target(servers)}", "--calls=0", *arguments]
        self.order = []  # as in Greeted
        self.failures = []
        self._process = started(command, stderr=subprocess.STDOUT)

    def __enter__(self):
        self._lines = lines_of(self._process, SERVER_PATIENCE)
        return self

    def __exit__(self, *_):
        stopped(self._process)

    def until(self, condition, otherwise):
        """Reads the client's output until `condition()` holds. Fails with `otherwise` after a
        while."""
        give_up = time.monotonic() + CLIENT_PATIENCE
        for line in self._lines:
            answer = ANSWER.match(line)
            if answer:
                self.order.append(answer["name"])
            else:
                print(f"  client: {line}")
                if line.startswith("FAILED"):
                    self.failures.append(line)
            if condition():
                return
            if time.monotonic() > give_up:
                raise Failed(f"{otherwise}: {collections.Counter(self.order)}")
        raise Failed(f"the client ended early; {otherwise}")


def greet(client, servers, *arguments):
    """Runs a greeter client against the servers to its end. Prints its output, except for
    answers."""
    process = started(
        [client, f"--target={target(servers)}", *arguments], stderr=subprocess.STDOUT
    )
    try:
        output, _ = process.communicate(timeout=CLIENT_PATIENCE)
    except subprocess.TimeoutExpired:
        raise Failed(f"the client did not end within {CLIENT_PATIENCE} s") from None
    finally:
        stopped(process)
    order, failures = [], []
    for line in output.splitlines():
        answer = ANSWER.match(line)
        if answer:
            order.append(answer["name"])
            continue
        print(f"  client: {line}")
        if line.startswith("FAILED"):
            failures.append(line)
    return Greeted(order, failures, process.returncode)
