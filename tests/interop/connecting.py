#!/usr/bin/python3
"""Tubs of Python Foolscap, as many as are asked for, driven as `peer.py` is: what it takes to connect in odd ways.

    tub name, pem, versions?, vocabularies?, attributes?, handles_old?   tubid, port
    dial tub, furl, as               a reference; `lost` is the event of its end
    add ref, a, b                    result
    connections tub                  count: those that count
    set tub, attributes              of the Tub, such as incarnation_string
    vocab_hash hash                  what this process takes for the hash of vocabulary table 1; null is the true one
    stop_listening tub; stop tub
"""

import sys

sys.dont_write_bytecode = True

from foolscap import negotiate, vocab
from foolscap.api import Referenceable, Tub
from twisted.internet import defer, reactor, stdio

import peer

TRUE_HASH = vocab.hashVocabTable


class Target(Referenceable):
    def remote_add(self, a, b):
        return a + b


def negotiation(least, greatest, vocabularies):
    """A Negotiation for a range of versions; those after 3 are just like it."""
    def evaluate(self, offer):
        return self.evaluateNegotiationVersion1(offer)

    def accept(self, decision):
        return self.acceptDecisionVersion1(decision)
    names = {"minVersion": least, "maxVersion": greatest, "initialVocabTableRange": tuple(vocabularies)}
    for version in range(4, greatest + 1):
        names["evaluateNegotiationVersion%d" % version] = evaluate
        names["acceptDecisionVersion%d" % version] = accept
    return type("OddNegotiation", (negotiate.Negotiation,), names)


class Program(peer.Peer):
    def __init__(self):
        self.tubs = {}
        self.refs = {}

    def cmd_tub(self, name, pem, versions=(3, 3), vocabularies=(0, 1), attributes={}, handles_old=False):
        tub = self.tubs[name] = Tub(certData=pem.encode())
        tub.negotiationClass = negotiation(*versions, vocabularies)
        if handles_old:
            tub.setOption("handle-old-duplicate-connections", True)
        self.cmd_set(name, attributes)
        tub.startService()
        port = tub.listenOn("tcp:0:interface=127.0.0.1").getPortnum()
        tub.setLocation("tcp:127.0.0.1:%d" % port)
        tub.registerReference(Target(), "target")
        return {"tubid": tub.getTubID(), "port": port}

    def cmd_dial(self, tub, furl, **options):
        name = options["as"]

        def got(ref):
            self.refs[name] = ref
            ref.notifyOnDisconnect(self.event, "lost " + name)
            broker = ref.tracker.broker
            return {"version": broker._banana_decision_version, "seqnum": broker.current_seqnum}
        return self.tubs[tub].getReference(furl).addCallback(got)

    def cmd_add(self, ref, a, b):
        return self.refs[ref].callRemote("add", a, b).addCallback(lambda result: {"result": result})

    def cmd_connections(self, tub):
        return {"count": len(self.tubs[tub].brokers)}

    def cmd_set(self, tub, attributes):
        for name, value in attributes.items():
            setattr(self.tubs[tub], name, value)
        return {}

    def cmd_vocab_hash(self, hash=None):
        vocab.hashVocabTable = TRUE_HASH if hash is None else lambda index: hash
        return {}

    def cmd_stop_listening(self, tub):
        return defer.gatherResults([
            defer.maybeDeferred(self.tubs[tub].stopListeningOn, listener)
            for listener in self.tubs[tub].getListeners()
        ]).addCallback(lambda _: {})

    @defer.inlineCallbacks
    def cmd_stop(self, tub):
        tub = self.tubs.pop(tub)
        for broker in list(tub.brokers.values()):
            broker.transport.abortConnection()
        stopped = tub.stopService()
        stopped.addTimeout(5, reactor)
        yield stopped
        return {}


def main():
    program = Program()

    def go():
        program.print({"ready": True, "furl": None, "tubid": "", "port": 0})
        stdio.StandardIO(peer.Commands(program))
    reactor.callWhenRunning(go)
    reactor.run()


if __name__ == "__main__":
    main()
