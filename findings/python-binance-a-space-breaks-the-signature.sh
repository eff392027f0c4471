#!/usr/bin/env bash
# python-binance 1.0.37 (Python 3.11): a parameter with a space in it is signed as it is and sent otherwise, so the venue refuses it.
#
# Done: get_deposit_history(txId="Internal transfer 123456") and withdraw(name="cold wallet", ...) with Client and
# AsyncClient, against a loopback venue that signs the query, or the body, as it came, byte for byte, as Binance does.
#
# Expected: a signature that fits. "Internal transfer 123456" is what Binance itself writes as txId of a transfer between
# its users, and txId is a documented filter of the deposit history; name is free text for the address book. Binance's
# own documentation of the signature: the payload is percent-encoded, and what is sent is what was signed.
#
# Happens: the library signs "name=value" without encoding anything but `symbol`. Client then sends %20 (in a query) or +
# (in a body), so the signature is of other bytes: Binance answers -1022. AsyncClient writes the space into the request line
# of a query as it is, which is no HTTP: the server closes with 400 before it looks at a signature. A space in a body
# becomes +, as with Client. So a deposit cannot be looked up by the id that the venue gave it, and no withdrawal can
# carry a name of two words. Nothing of it is told: the exceptions speak of a signature, or of a page that is no JSON.
#
# Seen:
#   98A3EA56 in a query: Client signed as sent, AsyncClient signed as sent
#   Internal transfer 123456 in a query: Client signed otherwise, AsyncClient no HTTP
#   cold in a body: Client signed as sent, AsyncClient signed as sent
#   cold wallet in a body: Client signed otherwise, AsyncClient signed otherwise
#
# Way round: ask without txId and filter the rows; leave name out.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check python-binance==1.0.37 aiohttp==3.14.5 requests==2.34.2 yarl==1.25.1
cd "$dir"
venv/bin/python - <<'PY'
import asyncio
import hashlib
import hmac
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from binance import AsyncClient, Client

seen = []


class Venue(BaseHTTPRequestHandler):
    def answer(self, payload):
        if "/sapi/" in self.path:
            signed, _, signature = payload.partition("&signature=")
            seen.append(hmac.new(b"secret", signed.encode("latin-1"), hashlib.sha256).hexdigest() == signature)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self):
        self.answer(self.path.partition("?")[2])

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Venue)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/sapi"


def query(client, text):
    return client.get_deposit_history(txId=text)


def body(client, text):
    return client.withdraw(coin="BTC", address="bc1q", amount="1", name=text)


def tell():
    return {True: "signed as sent", False: "signed otherwise", None: "no HTTP"}[seen.pop() if seen else None]


def with_client(ask, text):
    client = Client("key", "secret", ping=False)
    client.MARGIN_API_URL = address
    ask(client, text)
    return tell()


async def with_async_client(ask, text):
    client = AsyncClient("key", "secret")
    client.MARGIN_API_URL = address
    try:
        await ask(client, text)
    except Exception as error:
        assert "400" in str(error), error
    finally:
        await client.close_connection()
    return tell()


wanted = {
    (query, "98A3EA56"): ("signed as sent", "signed as sent"),
    (query, "Internal transfer 123456"): ("signed otherwise", "no HTTP"),
    (body, "cold"): ("signed as sent", "signed as sent"),
    (body, "cold wallet"): ("signed otherwise", "signed otherwise"),
}
for (ask, text), was in wanted.items():
    found = with_client(ask, text), asyncio.run(with_async_client(ask, text))
    print(f"{text} in a {ask.__name__}: Client {found[0]}, AsyncClient {found[1]}")
    if found != was:
        raise SystemExit(f"changed: was {was}")
server.shutdown()
PY
