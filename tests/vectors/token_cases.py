"""The rows of tokens.json: single tokens, and what a Broker does with good and bad bytes."""

from foolscap.api import Referenceable, RemoteInterface, flushEventualQueue
from foolscap.broker import Broker
from foolscap.referenceable import TubRef
from foolscap.vocab import vocab_v1
from twisted.internet import defer, reactor, task
from twisted.python import log
from zope.interface import implementer

from reader import Reader, split, token_json, tokens

# Name and bytes. Each is one legal token, if need be in a form that Foolscap itself never writes.
TOKENS = [
    ("INT with an empty header", "81"),
    ("INT 0", "0081"),
    ("INT 0 in two groups", "000081"),
    ("INT 1 in three groups", "01000081"),
    ("INT 127", "7f81"),
    ("INT 128", "000181"),
    ("INT 2**31", "000000000881"),
    ("INT 2**40", "00000000002081"),
    ("INT 2**53 - 1", "7f7f7f7f7f7f7f0f81"),
    ("INT 2**53 + 1", "010000000000001081"),
    ("INT with 64 header bytes", "01" + "00" * 63 + "81"),
    ("INT with 64 full header bytes", "7f" * 64 + "81"),
    ("NEG 0", "0083"),
    ("NEG 1", "0183"),
    ("NEG 2**40", "00000000002083"),
    ("LONGINT of no bytes", "0085"),
    ("LONGINT with a small value", "018505"),
    ("LONGINT with leading zeros", "048500000005"),
    ("LONGINT 2**64", "0985010000000000000000"),
    ("LONGNEG with a small value", "018605"),
    ("LONGNEG of no bytes", "0086"),
    ("FLOAT 1.0", "843ff0000000000000"),
    ("FLOAT with a header", "05843ff0000000000000"),
    ("FLOAT nan", "847ff8000000000000"),
    ("STRING of no bytes", "0082"),
    ("STRING of no bytes, empty header", "82"),
    ("STRING of bytes above 0x7f", "0382e282ac"),
    ("STRING with a long header", "02000000826869"),
    ("VOCAB 0", "0087"),
    ("VOCAB 24", "1887"),
    ("OPEN 0", "0088"),
    ("OPEN 300", "2c0288"),
    ("CLOSE 300", "2c0289"),
    ("ABORT 3", "038a"),
    ("ERROR", "048d6f6f7073"),
    ("PING without a number", "8e"),
    ("PING 5", "058e"),
    ("PONG without a number", "8f"),
    ("PONG 5", "058f"),
]

CALL = "00880b8701810181" + "04826563686f" + "01880c87"
END = "01890089"


def call(arguments, count=1):
    """A call of echo with these argument bytes; sequences in it begin with OPEN 2."""
    return CALL + "%02x81" % count + arguments + END


# Name and bytes, sent to a Broker that serves Echo as clid 1 and Strict as clid 2.
CONNECTIONS = [
    ("echo of INT with an empty header", call("81")),
    ("echo of INT 0 in two groups", call("000081")),
    ("echo of INT 2**40", call("00000000002081")),
    ("echo of LONGINT of no bytes", call("0085")),
    ("echo of LONGINT with a small value", call("018505")),
    ("echo of NEG 0", call("0083")),
    ("echo of FLOAT with a header", call("05843ff0000000000000")),
    ("echo of INT with 64 header bytes", call("01" + "00" * 63 + "81")),
    ("INT with 65 header bytes", call("01" + "00" * 64 + "81")),
    ("65 bytes without a type", "01" * 65),
    ("header bytes that never end, 64 of them", "01" * 64),
    ("echo of a boolean INT 2", call("02880187028102" + "89")),
    ("echo of an empty boolean", call("028801870289")),
    ("echo of an empty unicode", call("028808870289")),
    ("echo of a list with all headers empty", call("8804870181" + "89")),
    ("echo of a list numbered 77", call("4d88048701814d89")),
    ("echo of a dict with a key left over", call("02880387018261018101826202" + "89")),
    ("echo of a set with the same member twice", call("028806870181018102" + "89")),
    ("PING between two tokens of a sequence", CALL + "0181058e0181" + END),
    ("PING without a number", "8e"),
    ("PING 5", "058e"),
    ("PING with 64 header bytes", "05" + "00" * 63 + "8e"),
    ("PONG that nobody asked for", "098f"),
    ("type byte 0x80", "0080"),
    ("type byte 0x8b", "008b"),
    ("type byte 0x8c", "008c"),
    ("type byte 0x90", "0090"),
    ("type byte 0xff", "00ff"),
    ("type byte 0x80 inside a call", call("0080")),
    ("type byte 0x8b inside a call", call("008b")),
    ("type byte 0x8c inside a call", call("008c")),
    ("type byte 0xff inside a call", call("00ff")),
    ("CLOSE with the wrong number", CALL + "0181058102890089"),
    ("CLOSE at the top", "0089"),
    ("INT at the top", "0181"),
    ("STRING at the top", "018261"),
    ("FLOAT at the top", "843ff0000000000000"),
    ("VOCAB at the top", "0487"),
    ("ABORT at the top", "008a"),
    ("VOCAB 25 as a value", call("1987")),
    ("VOCAB 25 as a name", "00881987" + "0089"),
    ("ERROR", "048d6f6f7073"),
    ("ERROR of 1000 bytes", "68078d" + "78" * 1000),
    ("ERROR with header 1001", "69078d"),
    ("OPEN followed by OPEN", "008801880489"),
    ("INT as index token at the top", "008801810089"),
    ("INT as index token inside a call", call("028801810289")),
    ("STRING of 16 bytes as index token", "00881082" + "78" * 16 + "0089"),
    ("STRING of 16 bytes as index token inside a call", call("02881082" + "78" * 16 + "0289")),
    ("STRING of 15 bytes as index token inside a call", call("02880f82" + "78" * 15 + "0289")),
    ("unknown sequence at the top", "008806826465637265660089"),
    ("set-vocab at the top", "0088098700810182780089"),
    ("add-vocab at the top", "00880a8701810182780089"),
    ("list at the top", "0088048701810089"),
    ("index token written as STRING", "0088048263616c6c01810181" + "04826563686f" + "0188" + "0982617267756d656e7473" +
     "01810181" + END),
    ("CLOSE while an index token is expected", "00880089"),
    ("INT inside none", call("0288008701810289")),
    ("STRING inside boolean", call("0288018701826102" + "89")),
    ("two INTs inside boolean", call("02880187018101810289")),
    ("INT inside unicode", call("0288088701810289")),
    ("two STRINGs inside unicode", call("02880887018261018262" + "0289")),
    ("ill-formed UTF-8", call("0288088701" + "82ff0289")),
    ("lone surrogate in UTF-8", call("0288088703" + "82eda0800289")),
    ("decimal that does not parse", call("028807" + "82646563696d616c" + "018278" + "0289")),
    ("dict with a duplicate key", call("02880387018261018101826102810289")),
    ("dict with keys 1 and True", call("0288038701810181" + "0388018701810389" + "02810289")),
    ("dict with a list as key", call("0288038703880487038901810289")),
    ("dict with keys 1 and 1.0", call("0288038701810181843ff000000000000002810289")),
    ("set with a list as member", call("028806870388048703890289")),
    ("reference to an unknown number", call("02880287638102" + "89")),
    ("reference to the enclosing list", call("0288048703880287028103890289")),
    ("reference to a unicode", call("02880887018261028903880287028103" + "89", 2)),
    ("copyable of an unknown type", call("0288128706826e6f2e7375630289")),
    ("copyable of an unknown type with a body", call("0288128702826e6f0182610388048703890289")),
    ("your-reference to an unknown clid", call("02881087638102" + "89")),
    ("your-reference as NEG", call("02881087018302" + "89")),
    ("your-reference to clid 1", call("02881087018102" + "89")),
    ("my-reference with only a clid", call("02880f87058102" + "89")),
    ("my-reference with an empty FURL", call("02880f870581008200820289")),
    ("my-reference with a LONGINT", call("02880f87018505" + "0289")),
    ("request id as LONGINT", "00880b87018501018104826563686f01880c8701810181" + END),
    ("request id as NEG", "00880b870183018104826563686f01880c8701810181" + END),
    ("request id as STRING", "00880b87018261018104826563686f01880c8701810181" + END),
    ("request id 0", "00880b870081018104826563686f01880c8701810181" + END),
    ("clid as LONGINT", "00880b87018101850104826563686f01880c8701810181" + END),
    ("clid unknown", "00880b870181638104826563686f01880c8701810181" + END),
    ("method name as unicode", "00880b870181018101880887018261018901880c8701810181" + END),
    ("method name in ill-formed UTF-8", "00880b87018101810182ff01880c8701810181" + END),
    ("method name as VOCAB", "00880b8701810181" + "0487" + "01880c8700810189" + "0089"),
    ("method that is missing", "00880b8701810181" + "0282686f" + "01880c8700810189" + "0089"),
    ("method that the interface does not have", "00880b8701810281" + "0282686f" + "01880c8700810189" + "0089"),
    ("argument that breaks the interface", "00880b8701810281" + "04826563686f" + "01880c8701810181" + END),
    ("arguments that are an INT", "00880b870181018104826563686f01810089"),
    ("arguments that are a list", "00880b870181018104826563686f01880487018901810089"),
    ("a fifth item in a call", "00880b870181018104826563686f01880c8701810181018901810089"),
    ("a call without arguments", "00880b870181018104826563686f0089"),
    ("argument count as STRING", CALL + "018261" + END),
    ("fewer arguments than the count", call("0181", 2)),
    ("keyword without a value", call("0181018261")),
    ("keyword as unicode", call("018102880887018261028901" + "81")),
    ("keyword given twice", call("0565", 0).replace("0565", "0582" + "76616c7565" + "0181" + "0582" + "76616c7565" +
                                                   "0281")),
    ("ABORT in an argument", call("02880487018102" + "8a0289").replace(END, "018a0189008a0089")),
    ("ABORT of a list only", call("028804870181028a0289")),
    ("answer to an unknown request", "00880d87638101810089"),
    ("answer with a LONGINT as request", "00880d8701850101810089"),
    ("error to an unknown request", "00880e876381018800870189" + "0089"),
    ("getReferenceByName with a text", "00880b87018100811282" + b"getReferenceByName".hex() + "01880c870081" +
     "04826e616d65" + "02880887018278" + "0289" + END),
    ("unknown method of the Broker", "00880b870181008103826675" + "6e01880c870081" + END),
    ("decref of clid 0", "00880b87018100810682" + b"decref".hex() + "01880c87028100810181" + END),
    ("decref of an unknown clid", "00880b87018100810682" + b"decref".hex() + "01880c87028163810181" + END),
    ("STRING cut off", call("05826162")[:-8]),
    ("nothing", ""),
]


class RIStrict(RemoteInterface):
    __remote_name__ = "RIStrict.example.com"

    def echo(value=bytes):
        return bytes


class Echo(Referenceable):
    def __repr__(self):
        return "<Echo>"

    def remote_echo(self, *args, **kwargs):
        return list(args) + [kwargs]


@implementer(RIStrict)
class Strict(Echo):
    pass


class NamedBroker(Broker):
    # Error texts carry this; the default would have an address in it.
    def __repr__(self):
        return "<Broker>"


class Transport:
    def __init__(self):
        self.written = b""
        self.open = True

    def write(self, data):
        self.written += data

    def loseConnection(self, why=None):
        self.open = False


@defer.inlineCallbacks
def run(data):
    """What a Broker writes for `data`, and whether it keeps the connection."""
    broker = NamedBroker(TubRef("client"), {"initial-vocab-table-index": 1})
    broker.unsafeTracebacks = False
    broker.transport = Transport()
    broker.connectionMade()
    kept = [Echo(), Strict()]
    for target in kept:
        broker.getTrackerForMyReference(target.processUniqueID(), target).send()
    broker.dataReceived(data)
    for _ in range(3):
        yield flushEventualQueue()
        yield task.deferLater(reactor, 0, lambda: None)
    return broker.transport.written, broker.transport.open


def read_written(data):
    """The messages that a Broker wrote before it may have given up, as JSON."""
    if any(kind == "ERROR" for kind, _, _ in tokens(data)):
        return []
    reader = Reader(vocab_v1)
    return [reader.message(part) for part in split(data)[0]]


@defer.inlineCallbacks
def vectors():
    # What Foolscap says about bad bytes is expected here.
    log.msg = log.err = lambda *args, **kwargs: None
    rows = []
    for name, text in TOKENS:
        listed = [token_json(kind, value) for kind, value, _ in tokens(bytes.fromhex(text))]
        assert len(listed) == 1, name
        rows.append({"name": name, "dialect": "token", "hex": text, "token": listed[0]})
    for name, text in CONNECTIONS:
        written, survives = yield run(bytes.fromhex(text))
        row = {"name": name, "dialect": "connection", "hex": text, "survives": survives}
        if survives:
            row["written"] = read_written(written)
        else:
            row["error"] = [value.decode() for kind, value, _ in tokens(written) if kind == "ERROR"]
        rows.append(row)
    return rows
