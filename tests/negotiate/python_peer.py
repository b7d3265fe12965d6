"""A Tub of the Python Foolscap, steered by lines on stdin, reporting by lines on stdout.

    -> certificate         <- certificate <a new certificate and key as PEM, in base64>
    -> dial FURL           <- connected TUBID outbound|inbound, or failed REASON
    -> stop                <- stopped, when stopService has finished

At the start it prints `ready TUBID PORT`. Connections that are accepted are reported as dialled ones are.
"""

import base64
import sys

from foolscap.api import Tub
from foolscap.crypto import createCertificate
from twisted.internet import protocol, reactor, stdio
from twisted.protocols.basic import LineReceiver


def say(*words):
    print(*words, flush=True)


class ReportingTub(Tub):
    def brokerAttached(self, tubref, broker, isClient):
        Tub.brokerAttached(self, tubref, broker, isClient)
        say("connected", tubref.getTubID(), "outbound" if isClient else "inbound")


class Commands(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        command, _, argument = line.decode().partition(" ")
        if command == "certificate":
            say("certificate", base64.b64encode(createCertificate().dumpPEM()).decode())
        elif command == "dial":
            d = tub.getReference(argument)
            d.addErrback(lambda f: say("failed", f.type.__name__, f.getErrorMessage().replace("\n", " ")))
        elif command == "stop":
            tub.stopService().addCallback(lambda _: (say("stopped"), reactor.stop()))

    def connectionLost(self, reason=protocol.connectionDone):
        if reactor.running:
            reactor.stop()


tub = ReportingTub()
tub.startService()
listener = tub.listenOn("tcp:0:interface=127.0.0.1")
tub.setLocation("tcp:127.0.0.1:%d" % listener.getPortnum())
say("ready", tub.tubID, listener.getPortnum())
stdio.StandardIO(Commands())
reactor.run()
