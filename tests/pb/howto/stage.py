"""What the Python halves of Perspective Broker's documented examples share.

    references.py server NAME [PORT...]
    references.py client NAME PORT...

Each half plays one part, and prints what happens to it as JSON lines: {"ready": true, "ports": [...]} first, then
{"event": "said", "values": [...]} for each thing that it says, and from a client {"event": "over"} at the end. On stdin it
takes {"id": 1, "cmd": "said"}, which is answered by all that it said, and by the errors that Twisted logged.
"""

import json
import sys

from twisted.internet import defer, reactor, stdio
from twisted.protocols.basic import LineReceiver
from twisted.python import log
from twisted.spread import pb

said = []
errors = []


def out(**line):
    print(json.dumps(line), flush=True)


def say(*values):
    said.append(values)
    out(event="said", values=values)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


class Lines(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        out(id=json.loads(line)["id"], said=said, errors=errors)

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()


def connect(port):
    """A factory that is being connected."""
    factory = pb.PBClientFactory()
    reactor.connectTCP("127.0.0.1", port, factory)
    return factory


def main(servers, clients):
    kind, name, *ports = sys.argv[1:]
    ports = [int(port) for port in ports]
    log.addObserver(lambda e: errors.append(log.textFromEventDict(e)) if e.get("isError") else None)
    stdio.StandardIO(Lines())
    if kind == "server":
        factories = servers[name]()
        wanted = ports or [0] * len(factories)
        listening = [reactor.listenTCP(port, factory, interface="127.0.0.1")
                     for port, factory in zip(wanted, factories)]
        reactor.callWhenRunning(lambda: out(ready=True, ports=[each.getHost().port for each in listening]))
    else:
        def start():
            out(ready=True, ports=[])
            d = defer.maybeDeferred(clients[name], *ports)
            d.addErrback(lambda f: errors.append(f.getTraceback()))
            d.addCallback(lambda _: out(event="over"))
        reactor.callWhenRunning(start)
    reactor.run()
