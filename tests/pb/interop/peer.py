"""A Perspective Broker peer for the tests: a Twisted server and a Twisted client, told by JSON lines what to do.

    peer.py [--unix PATH] [--tls CERT KEY CA]

It serves `Root` on TCP, and on a unix socket and TLS if asked, and prints {"ready": true, ...}. Commands come on stdin,
one object a line: {"id": 1, "cmd": "...", ...}; each is answered by {"id": 1, ...} or {"id": 1, "failure": {...}}.
"""

import gc
import json
import sys

from twisted.internet import defer, reactor, ssl, stdio
from twisted.protocols.basic import LineReceiver
from twisted.python import log
from twisted.spread import pb


def say(**line):
    print(json.dumps(line), flush=True)


class Expected(pb.Error):
    pass


class Secret(pb.Copyable):
    """Nobody registers it."""

    def __init__(self):
        self.x = 1


class Two(pb.Referenceable):
    def remote_three(self, number):
        return number + 1


class View(pb.Viewable):
    def view_who(self, perspective, *args, **kw):
        return [type(perspective).__name__, list(args), sorted(kw.items())]


class Root(pb.Root):
    def __init__(self):
        self.two = Two()
        self.view = View()
        self.kept = []
        self.heard = []

    def remote_echo(self, value):
        return value

    def remote_describe(self, *args, **kw):
        return repr(args) + repr(sorted(kw.items()))

    def remote_kw(self, a, b=0.0, flag=False):
        return (a, b, flag)

    def remote_getTwo(self):
        return self.two

    def remote_isTwo(self, other):
        return other is self.two

    def remote_isRoot(self, other):
        return other is self

    def remote_view(self):
        return self.view

    def remote_later(self, value):
        d = defer.Deferred()
        reactor.callLater(0.01, d.callback, value)
        return d

    def remote_cb(self, ref, value):
        return ref.callRemote("hello", value)

    def remote_keep(self, ref):
        self.kept.append(ref)

    def remote_callKept(self, *args):
        return self.kept[-1].callRemote("hello", *args)

    def remote_giveKept(self):
        return self.kept[-1]

    def remote_dropKept(self):
        del self.kept[:]
        gc.collect()

    def remote_hear(self, value):
        self.heard.append(value)

    def remote_heard(self):
        return self.heard

    def remote_fail(self, kind):
        if kind == "expected":
            raise Expected("expected problem")
        if kind == "later":
            return defer.fail(Expected("later problem"))
        raise ValueError("bad thing")

    def remote_relay(self, ref, *args):
        return ref.callRemote("fail", *args)

    def remote_secret(self):
        return Secret()

    def remote_lotsOf(self, count):
        return [Two() for _ in range(count)]

    def remote_login(self, name):
        return b"hello " + name


class Lines(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        command = json.loads(line)
        d = defer.maybeDeferred(getattr(self, "cmd_" + command["cmd"]), **{
            key: value for key, value in command.items() if key not in ("id", "cmd")
        })
        d.addCallbacks(
            lambda answer: say(id=command["id"], **(answer or {})),
            lambda f: say(id=command["id"], failure=dict(
                type=text(f.type) if isinstance(f.type, bytes) else "%s.%s" % (f.type.__module__, f.type.__name__),
                value=str(f.value), parents=[text(p) for p in f.parents],
                traceback=getattr(f, "traceback", None) or "", remote=isinstance(f, pb.CopiedFailure))),
        )

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()

    @defer.inlineCallbacks
    def cmd_connect(self, kind, port=0, path="", ca=""):
        self.factory_ = pb.PBClientFactory()
        if kind == "unix":
            reactor.connectUNIX(path, self.factory_)
        elif kind == "tls":
            authority = ssl.Certificate.loadPEM(open(ca).read())
            options = ssl.optionsForClientTLS("localhost", trustRoot=authority)
            reactor.connectSSL("127.0.0.1", port, self.factory_, options)
        else:
            reactor.connectTCP("127.0.0.1", port, self.factory_)
        self.root = yield self.factory_.getRootObject()
        self.names = {"root": self.root}
        self.root.notifyOnDisconnect(lambda _: say(event="lost"))

    def cmd_call(self, method, args=(), kw={}, on="root", name=None):
        args = [self.value(arg) for arg in args]
        d = self.names[on].callRemote(method, *args, **{k: self.value(v) for k, v in kw.items()})

        def came(result):
            if name is None:
                return {"result": repr(result)}
            self.names[name] = result

        # No coroutine: in one a CopiedFailure becomes a RemoteError.
        return d.addCallback(came)

    @defer.inlineCallbacks
    def cmd_awaitError(self, method, args=()):
        """What a coroutine sees of a remote failure."""
        try:
            yield self.root.callRemote(method, *[self.value(arg) for arg in args])
        except pb.RemoteError as error:
            defer.returnValue({"remoteType": text(error.remoteType), "message": str(error),
                               "traceback": text(error.remoteTraceback)})

    def cmd_check(self, method, types, args=()):
        d = self.root.callRemote(method, *[self.value(arg) for arg in args])
        d.addErrback(lambda f: {"checked": f.check(*types), "text": f.getErrorMessage()})
        return d

    def cmd_only(self, method, args=()):
        self.root.callRemote(method, *[self.value(arg) for arg in args], pbanswer=False)

    def cmd_same(self, a, b):
        return {"same": self.names[a] == self.names[b]}

    def cmd_drop(self, name):
        del self.names[name]
        gc.collect()

    def cmd_disconnect(self):
        self.factory_.disconnect()

    def cmd_errors(self):
        return {"errors": [str(entry) for entry in logged]}

    def value(self, arg):
        """JSON, and what it has no word for."""
        if isinstance(arg, dict) and "bytes" in arg:
            return bytes.fromhex(arg["bytes"])
        if isinstance(arg, dict) and "ref" in arg:
            return self.names[arg["ref"]]
        if isinstance(arg, dict) and "tuple" in arg:
            return tuple(self.value(item) for item in arg["tuple"])
        if isinstance(arg, dict) and "own" in arg:
            if not hasattr(self, "own"):
                self.own = Own()
            return self.own
        if isinstance(arg, list):
            return [self.value(item) for item in arg]
        return arg


class Own(pb.Referenceable):
    def remote_hello(self, value):
        return [value, "from python"]

    def remote_fail(self, *args):
        raise Expected("from the client")


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


logged = []
log.addObserver(lambda event: logged.append(log.textFromEventDict(event)) if event.get("isError") else None)

args = sys.argv[1:]
factory = pb.PBServerFactory(Root())
ready = {"ready": True, "port": reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port}
if "--unix" in args:
    ready["unix"] = args[args.index("--unix") + 1]
    reactor.listenUNIX(ready["unix"], factory)
if "--tls" in args:
    at = args.index("--tls")
    pair = ssl.PrivateCertificate.loadPEM(open(args[at + 2]).read() + open(args[at + 1]).read())
    ready["tls"] = reactor.listenSSL(0, factory, pair.options(), interface="127.0.0.1").getHost().port
stdio.StandardIO(Lines())
reactor.callWhenRunning(lambda: say(**ready))
reactor.run()
