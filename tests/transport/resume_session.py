"""Connects twice and offers the session of the first connection at the second.

Arguments: port, file with certificate and key, TLS version (1.2 or 1.3). Prints one line for each connection:
whether the session was resumed, and what arrived.
"""

import socket
import ssl
import sys

port, pem, version = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.load_cert_chain(pem)
context.minimum_version = context.maximum_version = (
    ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
)

session = None
for _ in range(2):
    raw = socket.create_connection(("127.0.0.1", port))
    tls = context.wrap_socket(raw, session=session)
    try:
        got = tls.recv(100)
    except OSError:
        got = b""
    session = session or tls.session
    print("resumed" if tls.session_reused else "full", got.decode(), flush=True)
    tls.close()
