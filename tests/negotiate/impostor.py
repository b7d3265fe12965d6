"""A TLS peer that can show a certificate whose private key it does not have.

    impostor.py ROLE PORT VERSION CERT VICTIM_KEY MODE

ROLE is "client" (connects to PORT) or "server" (listens, prints its port, serves one connection). VERSION
is 1.2 or 1.3. MODE is "owner" (the control: the certificate with its own key), "forged" (the certificate
with a key object that claims the certificate's public half and has another private half, so that OpenSSL
takes the pair and signs with the wrong key), or "bare" (no certificate at all, clients only).

It does Foolscap's plaintext exchange, then TLS, then sends "hello" and reports on stdout what happened
as one word: "handshake-failed", "closed", or "talked" when application data of the peer arrived.
VICTIM_KEY is read for its public half alone, except in mode "owner".
"""

import ctypes
import socket
import sys

from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from OpenSSL import SSL, crypto
from OpenSSL._util import ffi, lib

role, port, version, cert_file, key_file, mode = sys.argv[1:7]
RAW = (ser.Encoding.Raw, ser.PrivateFormat.Raw, ser.NoEncryption())


def forged_ed25519(victim):
    """An EVP_PKEY with the victim's public half and a private half of our own."""
    libcrypto = ctypes.CDLL("libcrypto.so.3")

    class Param(ctypes.Structure):
        _fields_ = [("key", ctypes.c_char_p), ("data_type", ctypes.c_uint), ("data", ctypes.c_void_p),
                    ("data_size", ctypes.c_size_t), ("return_size", ctypes.c_size_t)]

    public = victim.public_key().public_bytes(ser.Encoding.Raw, ser.PublicFormat.Raw)
    private = ed25519.Ed25519PrivateKey.generate().private_bytes(*RAW)
    buffers = [ctypes.create_string_buffer(b, len(b)) for b in (public, private)]
    octets = 5
    params = (Param * 3)(
        Param(b"pub", octets, ctypes.cast(buffers[0], ctypes.c_void_p), 32, 0),
        Param(b"priv", octets, ctypes.cast(buffers[1], ctypes.c_void_p), 32, 0),
        Param(None, 0, None, 0, 0))
    libcrypto.EVP_PKEY_CTX_new_from_name.restype = ctypes.c_void_p
    libcrypto.EVP_PKEY_CTX_new_from_name.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    libcrypto.EVP_PKEY_fromdata_init.argtypes = [ctypes.c_void_p]
    libcrypto.EVP_PKEY_fromdata.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    context = libcrypto.EVP_PKEY_CTX_new_from_name(None, b"ED25519", None)
    assert libcrypto.EVP_PKEY_fromdata_init(context) == 1
    key = ctypes.c_void_p()
    keypair = 0x87
    assert libcrypto.EVP_PKEY_fromdata(context, ctypes.byref(key), keypair, params) == 1
    return ffi.cast("EVP_PKEY *", key.value)


def forged_rsa(victim):
    """n and e of the victim; d, p and q of another key. OpenSSL compares n and e alone."""
    n = victim.public_key().public_numbers()
    o = rsa.generate_private_key(65537, 2048).private_numbers()
    fields = [0, n.n, n.e, o.d, o.p, o.q, o.dmp1, o.dmq1, o.iqmp]
    body = b"".join(der_integer(f) for f in fields)
    return b"\x30" + der_length(len(body)) + body


def forged_ec(victim):
    """The victim's public point beside a scalar of our own, in the form of SEC 1."""
    point = victim.public_key().public_bytes(ser.Encoding.X962, ser.PublicFormat.UncompressedPoint)
    scalar = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")
    body = (b"\x02\x01\x01\x04\x20" + scalar + bytes.fromhex("a00a06082a8648ce3d030107")
            + b"\xa1\x44\x03\x42\x00" + point)
    return b"\x30" + der_length(len(body)) + body


def der_length(n):
    if n < 128:
        return bytes([n])
    b = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(b)]) + b


def der_integer(n):
    b = n.to_bytes(n.bit_length() // 8 + 1, "big")
    return b"\x02" + der_length(len(b)) + b


def load_der_key(der):
    """d2i_AutoPrivateKey by way of a PEM, through OpenSSL itself: cryptography would check the key."""
    import base64
    kind = b"RSA" if isinstance(victim, rsa.RSAPrivateKey) else b"EC"
    pem = (b"-----BEGIN " + kind + b" PRIVATE KEY-----\n" + base64.encodebytes(der)
           + b"-----END " + kind + b" PRIVATE KEY-----\n")
    libcrypto = ctypes.CDLL("libcrypto.so.3")
    libcrypto.BIO_new_mem_buf.restype = ctypes.c_void_p
    libcrypto.BIO_new_mem_buf.argtypes = [ctypes.c_char_p, ctypes.c_int]
    libcrypto.PEM_read_bio_PrivateKey.restype = ctypes.c_void_p
    libcrypto.PEM_read_bio_PrivateKey.argtypes = [ctypes.c_void_p] * 4
    key = libcrypto.PEM_read_bio_PrivateKey(libcrypto.BIO_new_mem_buf(pem, len(pem)), None, None, None)
    assert key, "OpenSSL does not load the forged key"
    return ffi.cast("EVP_PKEY *", key)


context = SSL.Context(SSL.TLS_METHOD)
wanted = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}[version]
context.set_min_proto_version(wanted)
context.set_max_proto_version(wanted)
context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
with open(key_file, "rb") as f:
    victim = ser.load_pem_private_key(f.read(), None)
if mode != "bare":
    with open(cert_file, "rb") as f:
        certificate = crypto.load_certificate(crypto.FILETYPE_PEM, f.read())
    context.use_certificate(certificate)
    if mode == "owner":
        context.use_privatekey(crypto.PKey.from_cryptography_key(victim))
    else:
        if isinstance(victim, ed25519.Ed25519PrivateKey):
            forged = forged_ed25519(victim)
        elif isinstance(victim, rsa.RSAPrivateKey):
            forged = load_der_key(forged_rsa(victim))
        else:
            forged = load_der_key(forged_ec(victim))
        assert lib.SSL_CTX_use_PrivateKey(context._context, forged) == 1, "OpenSSL refuses the forged pair"


def read_block(plain):
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        byte = plain.recv(1)
        if not byte:
            return got
        got += byte
    return got


def report(word):
    print(word, flush=True)
    sys.exit(0)


if role == "client":
    plain = socket.create_connection(("127.0.0.1", int(port)))
    plain.sendall(b"GET /id/" + (sys.argv[7].encode() if len(sys.argv) > 7 else b"x") + b" HTTP/1.1\r\n\r\n")
    read_block(plain)
else:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    plain = listener.accept()[0]
    read_block(plain)
    plain.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0, PB/1.0\r\nConnection: Upgrade\r\n\r\n")

plain.settimeout(None)
secure = SSL.Connection(context, plain)
secure.set_connect_state() if role == "client" else secure.set_accept_state()
try:
    secure.do_handshake()
except SSL.Error:
    report("handshake-failed")
try:
    secure.sendall(b"hello")
    data = secure.recv(4096)
    report("talked" if data else "closed")
except (SSL.Error, OSError):
    report("closed")
