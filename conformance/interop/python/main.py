"""A workload in Python: `spiffe` asks an agent, `spiffe-tls` speaks TLS.

Its commands and answers are those of ../README.md.
"""

import json
import queue
import socket
import sys
import threading

from cryptography.x509 import SubjectAlternativeName, UniformResourceIdentifier
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from spiffe import JwtSvid, SpiffeId, WorkloadApiClient, X509Source
from spiffe.errors import PySpiffeError
from spiffetls import create_ssl_context, dial
from spiffetls.tlsconfig.authorize import authorize_id, authorize_member_of

BYTES_MAX = 65_536
WAIT_SECONDS = 60
REQUIRE_CLIENT = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT


def say(line):
    print(json.dumps(line), flush=True)


def open_source(address):
    return X509Source(socket_path=address, timeout_in_seconds=WAIT_SECONDS)


def describe(context):
    svids = context.x509_svids
    return {
        "event": "context",
        "ids": [str(svid.spiffe_id) for svid in svids],
        "leaves": [svid.leaf.public_bytes(Encoding.DER).hex() for svid in svids],
        "bundles": {
            bundle.trust_domain.name: len(bundle.x509_authorities)
            for bundle in context.x509_bundle_set.bundles
        },
    }


def refusal(error):
    text = str(error)
    code = "PermissionDenied" if "PERMISSION_DENIED" in text else ""
    return {"event": "error", "code": code, "text": text}


def watch(client, count):
    updates = queue.Queue()
    handler = client.stream_x509_contexts(updates.put, updates.put, retry_connect=False)
    try:
        for _ in range(count):
            update = updates.get(timeout=WAIT_SECONDS)
            if isinstance(update, Exception):
                raise update
            say(describe(update))
    finally:
        handler.cancel()


def mint(client, audience):
    svid = client.fetch_jwt_svid({audience}, timeout=WAIT_SECONDS)
    return {"event": "jwt", "token": svid.token, "ids": [str(svid.spiffe_id)]}


def verdict(judge):
    try:
        return str(judge().spiffe_id)
    except PySpiffeError as error:
        return f"refused: {error}"


def judge(client, audience, token):
    """What the agent makes of a token, and what the library itself makes of it with the agent's JWT bundles."""

    def local():
        insecure = JwtSvid.parse_insecure(token, {audience})
        bundles = client.fetch_jwt_bundles(timeout=WAIT_SECONDS)
        bundle = bundles.get_bundle_for_trust_domain(insecure.spiffe_id.trust_domain)
        return JwtSvid.parse_and_validate(token, bundle, {audience})

    remote = verdict(lambda: client.validate_jwt_svid(token, audience, timeout=WAIT_SECONDS))
    return {"event": "verdict", "remote": remote, "local": verdict(local)}


def peer_of(connection):
    certificate = connection.get_peer_certificate().to_cryptography()
    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName)
    return names.value.get_values_for_type(UniformResourceIdentifier)[0]


def answer(connection, own):
    received = b""
    while not received.endswith(b"\r\n\r\n") and len(received) < BYTES_MAX:
        received += connection.recv(4096)
    body = f"Hello {peer_of(connection)} from {own}"
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall((head + body).encode())
    connection.shutdown()


def accept(listener, address):
    """Serves one connection after another, each with a source and a context of its own.

    spiffe-tls would renew the certificate of one context for all, which pyOpenSSL refuses once a
    context was used: such a server goes on showing its first certificate, even expired.
    """
    while True:
        raw, _ = listener.accept()
        try:
            with open_source(address) as source:
                own = source.get_x509_context().default_svid.spiffe_id
                authorize = authorize_member_of(own.trust_domain)
                context = create_ssl_context(
                    SSL.TLS_SERVER_METHOD, source, authorize, REQUIRE_CLIENT, False
                )
                connection = SSL.Connection(context, raw)
                connection.set_accept_state()
                answer(connection, own)
        except (SSL.Error, OSError) as error:
            print(f"python: {error!r}", file=sys.stderr)
        finally:
            raw.close()


def serve(address):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, address), daemon=True).start()
    return {"event": "listening", "port": listener.getsockname()[1]}


def call(source, port, server):
    connection = dial(f"127.0.0.1:{port}", source, authorize_fn=authorize_id(SpiffeId(server)))
    try:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = b""
        while len(received) < BYTES_MAX:
            received += connection.recv(4096)
    except (SSL.ZeroReturnError, SSL.SysCallError):
        pass
    finally:
        connection.close()
    return {"event": "answer", "text": received.decode()}


def obey(address, command):
    with WorkloadApiClient(address) as client:
        match command["do"]:
            case "fetch":
                return describe(client.fetch_x509_context(timeout=WAIT_SECONDS))
            case "watch":
                return watch(client, command["count"])
            case "jwt":
                return mint(client, command["audience"])
            case "judge":
                return judge(client, command["audience"], command["token"])
            case "serve":
                return serve(address)
            case "call":
                with open_source(address) as source:
                    return call(source, command["port"], command["id"])
    raise ValueError(f"unknown command {command['do']}")


def main():
    address = f"unix://{sys.argv[1]}"
    for line in sys.stdin:
        try:
            answered = obey(address, json.loads(line))
        except Exception as error:  # Whatever the libraries throw is the answer.
            answered = refusal(error)
        if answered is not None:
            say(answered)


main()
