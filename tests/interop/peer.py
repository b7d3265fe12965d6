#!/usr/bin/python3
"""A Python Foolscap Tub, driven by one JSON command a line on stdin; README.md lists the commands.

Answers and events are one JSON object a line on stdout. The program ends when stdin does.
"""

import argparse
import gc
import json
import os
import sys
import time
import types
import warnings
from urllib.parse import quote, unquote

sys.dont_write_bytecode = True

from foolscap import pb
from foolscap.api import Referenceable, SturdyRef, Tub, flushEventualQueue
from foolscap.ipb import IConnectionHintHandler, IRemoteReference
from twisted.internet import address, defer, endpoints, protocol, reactor, stdio
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python import reflect
from twisted.python.failure import Failure
from zope.interface import implementer

import described
import served

# Listener.getPortnum is deprecated, and there is no other way to learn the port behind port 0.
warnings.simplefilter("ignore", DeprecationWarning)


class Local(Referenceable):
    """An object of this peer's own, made by a command: its calls are printed as events."""

    def __init__(self, peer, name):
        self.peer, self.name = peer, name

    def doRemoteCall(self, method, args, kwargs):
        self.peer.event("called", name=self.name, method=method, args=[self.peer.describe(a) for a in args])
        if method == "fail":
            raise served.PeerError("asked to fail")
        return args[0] if args else None


@implementer(IConnectionHintHandler)
class UnixHandler:
    """Hints as lib/names/hints.ts writes them; Foolscap has none for unix sockets."""

    def hint_to_endpoint(self, hint, reactor, update_status):
        return endpoints.UNIXClientEndpoint(reactor, unquote(hint.split(":", 1)[1])), "localhost"

    def describe(self):
        return "unix"


def let_listeners_know_unix_sockets():
    """Foolscap 21.7 logs host and port of whoever connects, which fails for a unix socket: its listener accepts nobody."""
    build = pb.Listener.buildProtocol

    def build_protocol(self, addr):
        return build(self, addr if hasattr(addr, "host") else address.IPv4Address("TCP", "unix", 0))
    pb.Listener.buildProtocol = build_protocol


class Peer:
    def __init__(self, options):
        self.options = options
        self.refs = {}
        self.locals = {}
        self.reconnectors = {}
        self.port = options.port
        self.cert = None
        self.counter = 0

    # Starting and stopping

    def start(self):
        if self.cert is not None:
            self.tub = Tub(certData=self.cert)
        elif self.options.cert_file:
            self.tub = Tub(certFile=self.options.cert_file)
        else:
            self.tub = Tub()
        self.cert = self.tub.getCertData()
        for name in ("logLocalFailures", "logRemoteFailures"):
            self.tub.setOption(name, False)
        for option in self.options.option:
            name, value = option.split("=", 1)
            self.tub.setOption(name, json.loads(value))
        self.tub.unsafeTracebacks = not self.options.safe_tracebacks
        self.tub.startService()
        if self.options.unix:
            let_listeners_know_unix_sockets()
            self.tub.addConnectionHintHandler("unix", UnixHandler())
            self.tub.listenOn("unix:%s:mode=600" % self.options.unix)
            self.tub.setLocation("unix:" + quote(self.options.unix, safe=""))
        elif not self.options.no_listen:
            listener = self.tub.listenOn("tcp:%d:interface=127.0.0.1" % self.port)
            self.port = listener.getPortnum()
            self.tub.setLocation("tcp:127.0.0.1:%d" % self.port)
        self.root = self.locals["root"] = served.Root(self)
        self.locals["kept"] = self.root.kept
        self.locals["strict"] = self.root.strict
        self.locals["table"] = self.root.table
        self.locals["observer"] = self.root.table.observer
        self.locals["no_observer"] = self.root.no_observer
        furl = None if self.options.no_listen else self.tub.registerReference(self.root, self.options.name)
        return {"ready": True, "furl": furl, "tubid": self.tub.getTubID(), "port": self.port}

    def print(self, line):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    def event(self, kind, **details):
        self.print({"event": kind, **details})

    # Descriptions

    def describe(self, value):
        return described.describe(value, self.describe_foreign)

    def describe_foreign(self, value):
        for name, local in self.locals.items():
            if local is value:
                return {"local": name}
        if isinstance(value, SturdyRef):
            return {"sturdy": value.getURL()}
        if isinstance(value, types.MethodType):
            return {"function": value.__name__}
        if IRemoteReference.providedBy(value):
            for name, ref in self.refs.items():
                if ref is value:
                    return {"ref": name}
            return {"ref": self.keep(value)}
        if isinstance(value, Referenceable):
            return {"local": self.keep(value, self.locals)}
        raise TypeError("cannot describe a %s" % type(value).__name__)

    def keep(self, value, table=None):
        self.counter += 1
        name = "%s%d" % (type(value).__name__, self.counter)
        (self.refs if table is None else table)[name] = value
        return name

    def build(self, description):
        return described.build(description, self.build_foreign)

    def build_foreign(self, d):
        if "ref" in d:
            return self.refs[d["ref"]]
        if "local" in d:
            if d["local"] not in self.locals:
                self.locals[d["local"]] = Local(self, d["local"])
            return self.locals[d["local"]]
        if "sturdy" in d:
            return SturdyRef(d["sturdy"])
        if "function" in d:
            return getattr(self.root, "remote_" + d["function"])
        raise ValueError("unknown description %s" % sorted(d))

    # Commands

    def cmd_get(self, furl, **options):
        def got(ref):
            name = options.get("as", "root")
            self.refs[name] = ref
            return {"ref": name}
        return self.tub.getReference(furl).addCallback(got)

    def call_arguments(self, method, args, kwargs):
        args = [self.build(a) for a in args]
        kwargs = {k: self.build(v) for k, v in kwargs.items()}
        return ([method] if method is not None else []) + args, kwargs

    def cmd_call(self, ref, method=None, args=(), kwargs={}, **options):
        args, kwargs = self.call_arguments(method, args, kwargs)

        def answered(value):
            if "as" in options:
                self.refs[options["as"]] = value
            return {"result": self.describe(value)}
        return self.refs[ref].callRemote(*args, **kwargs).addCallback(answered)

    def cmd_check(self, ref, types, method=None, args=(), kwargs={}):
        """The first of `types` that the failure of a call is, as `Failure.check` tells."""
        args, kwargs = self.call_arguments(method, args, kwargs)

        def failed(failure):
            found = failure.check(*[reflect.namedAny(name) for name in types])
            return {"type": found and reflect.qual(found)}
        return self.refs[ref].callRemote(*args, **kwargs).addCallbacks(lambda _: {"type": None}, failed)

    def cmd_call_only(self, ref, method=None, args=(), kwargs={}):
        args, kwargs = self.call_arguments(method, args, kwargs)
        self.refs[ref].callRemoteOnly(*args, **kwargs)
        return {}

    def cmd_watch(self, ref):
        self.refs[ref].notifyOnDisconnect(self.event, "disconnected", name=ref)
        return {}

    def cmd_release(self, ref):
        del self.refs[ref]
        gc.collect()
        return {}

    def cmd_identical(self, one, other):
        return {"result": {"bool": self.refs[one] is self.refs[other]}}

    def cmd_furl(self, ref):
        return {"furl": self.refs[ref].getSturdyRef().getURL()}

    def cmd_register(self, local, name=None):
        return {"furl": self.tub.registerReference(self.build_foreign({"local": local}), name)}

    def cmd_register_file(self, local, file):
        return {"furl": self.tub.registerReference(self.build_foreign({"local": local}), furlFile=file)}

    def cmd_register_function(self, function, name=None):
        return {"furl": self.tub.registerReference(self.build_foreign({"function": function}), name)}

    def cmd_hold(self, value):
        self.root.held = self.build(value)
        return {}

    def cmd_keep_held(self, ref):
        self.refs[ref] = self.root.held
        return {}

    def cmd_mangle(self, ref, furl):
        """Lets a reference be given away under another FURL than its own."""
        self.refs[ref].tracker.url = furl
        return {}

    def cmd_connect_timeout(self, seconds):
        self.tub._test_options["connect_timeout"] = seconds
        return {}

    def cmd_serialize(self, value):
        return self.tub.serialize(self.build(value)).addCallback(lambda data: {"hex": data.hex()})

    def cmd_unserialize(self, hex):
        return self.tub.unserialize(bytes.fromhex(hex)).addCallback(lambda value: {"result": self.describe(value)})

    def cmd_unregister(self, local):
        self.tub.unregisterReference(self.locals.pop(local))
        return {}

    def cmd_gc(self):
        gc.collect()
        return flushEventualQueue().addCallback(lambda _: {})

    def cmd_tables(self):
        tables = [{
            "tubid": tubref.getTubID(),
            "exports": len(broker.myReferenceByCLID),
            "imports": len(broker.yourReferenceByCLID),
            "gifts": len(broker.myGifts),
            "pending": len(broker.waitingForAnswers),
            "active": len(broker.activeLocalCalls),
        } for tubref, broker in self.tub.brokers.items()]
        return {"connections": tables, "items": self.root.remote_alive()}

    def cmd_tubid(self):
        return {"tubid": self.tub.getTubID()}

    def cmd_ping(self):
        """A PING on every connection; the answer is what each peer sends next, which is a PONG if it was idle."""
        return defer.gatherResults([
            self.ping(broker) for broker in self.tub.brokers.values()
        ]).addCallback(lambda answers: {"answers": answers})

    def ping(self, broker):
        answered = defer.Deferred()

        def handle_data(chunk):
            del broker.handleData
            answered.callback(chunk.hex())
            broker.handleData(chunk)
        broker.handleData = handle_data
        broker.sendPING(5)
        return answered

    def cmd_age(self, seconds, timer=None):
        """Lets every connection believe that nothing came for so many more seconds, and its timer run now."""
        ages = []
        for broker in list(self.tub.brokers.values()):
            broker.dataLastReceivedAt -= seconds
            ages.append(time.time() - broker.dataLastReceivedAt)
            delayed = timer and getattr(broker, timer + "Timer")
            if delayed:
                delayed.reset(0)
        return {"ages": ages}

    def cmd_connect_to(self, furl, **options):
        """A Reconnector; each connection is an event."""
        name = options.get("as", "root")

        def connected(ref):
            self.refs[name] = ref
            self.event("connected", name=name)
        self.reconnectors[name] = self.tub.connectTo(furl, connected)
        return {}

    def cmd_reconnector(self, name, do=None):
        """What a Reconnector is about; `do` is the name of a method to be called before that."""
        reconnector = self.reconnectors[name]
        if do is not None:
            getattr(reconnector, do)()
        info = reconnector.getReconnectionInfo()
        connection = info.connectionInfo
        return {
            "state": info.state,
            "delay": reconnector.getDelayUntilNextAttempt(),
            "statuses": connection and connection.connectorStatuses,
        }

    def cmd_write(self, hex):
        """Raw bytes into every connection."""
        for broker in self.tub.brokers.values():
            broker.transport.write(bytes.fromhex(hex))
        return {}

    def cmd_drop(self, how="abort"):
        for broker in list(self.tub.brokers.values()):
            if how == "abort":
                broker.transport.abortConnection()
            else:
                broker.transport.loseConnection()
        return flushEventualQueue().addCallback(lambda _: {})

    @defer.inlineCallbacks
    def cmd_stop(self):
        # stopService waits for each peer to close, which one that has gone away never does.
        stopped = self.tub.stopService()
        stopped.addTimeout(5, reactor)
        try:
            yield stopped
        except defer.TimeoutError:
            return {"finished": False}
        return {"finished": True}

    @defer.inlineCallbacks
    def cmd_restart(self):
        """A new Tub with the same identity, port and name: a new incarnation."""
        if self.tub.running:
            yield self.cmd_drop()
            yield self.cmd_stop()
        self.refs.clear()
        self.locals.clear()
        return self.start()

    def run(self, line):
        command = json.loads(line)
        number = command.pop("id", None)

        def failed(failure):
            return {"failure": describe_failure(failure)}

        def answer(reply):
            self.print({"id": number, **reply})
        deferred = defer.maybeDeferred(lambda: getattr(self, "cmd_" + command.pop("cmd"))(**command))
        deferred.addErrback(failed).addCallback(answer)


def describe_failure(failure):
    """A Failure, or a CopiedFailure from a peer, as JSON."""
    name = failure.type if isinstance(failure.type, str) else "%s.%s" % (failure.type.__module__, failure.type.__name__)
    return {
        "type": name,
        "value": str(failure.value),
        "parents": list(failure.parents),
        "traceback": failure.getTraceback(),
        "remote": type(failure) is not Failure,
    }


class Commands(LineOnlyReceiver):
    delimiter = b"\n"
    MAX_LENGTH = 64 * 1024 * 1024

    def __init__(self, peer):
        self.peer = peer

    def lineReceived(self, line):
        self.peer.run(line)

    def connectionLost(self, reason=protocol.connectionDone):
        # Connections that are still open must not keep a peer alive that nobody drives any more.
        os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cert-file")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--name", default="root")
    parser.add_argument("--no-listen", action="store_true")
    parser.add_argument("--unix", metavar="PATH", help="listen on a unix socket instead, and dial such hints")
    parser.add_argument("--safe-tracebacks", action="store_true")
    parser.add_argument("--option", action="append", default=[], help="NAME=JSON for Tub.setOption")
    peer = Peer(parser.parse_args())

    def go():
        peer.print(peer.start())
        stdio.StandardIO(Commands(peer))
    reactor.callWhenRunning(go)
    reactor.run()


if __name__ == "__main__":
    main()
