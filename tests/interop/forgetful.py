#!/usr/bin/python3
"""The peer of peer.py, with commands that go behind Foolscap's back, to test what peers do about it.

| command | what it does |
| --- | --- |
| `forget` local | takes an object from the tables of all connections, so that calls to it name an unknown object |
| `misname` ref, clid | lets a reference call the object of another number |
| `answer` request, value | an answer to a request, asked or not |
| `fail` request | an error to a request, asked or not |
"""

import sys

sys.dont_write_bytecode = True

from foolscap.call import AnswerSlicer, ErrorSlicer
from twisted.python.failure import Failure

import peer


class Forgetful(peer.Peer):
    def cmd_forget(self, local):
        for broker in self.tub.brokers.values():
            for clid, tracker in list(broker.myReferenceByCLID.items()):
                if tracker.obj is self.locals[local]:
                    del broker.myReferenceByCLID[clid]
        return {}

    def cmd_misname(self, ref, clid):
        self.refs[ref].tracker.clid = clid
        return {}

    def cmd_answer(self, request, value):
        for broker in self.tub.brokers.values():
            broker.send(AnswerSlicer(request, self.build(value), methodname="m"))
        return {}

    def cmd_fail(self, request):
        for broker in self.tub.brokers.values():
            broker.send(ErrorSlicer(request, Failure(ValueError("nobody asked"))))
        return {}


peer.Peer = Forgetful
peer.main()
