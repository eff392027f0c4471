#!/usr/bin/env bash
# python-binance 1.0.37 (aiohttp 3.14.5): a page in place of JSON is another error in AsyncClient, or a bound method's name.
#
# Done: get_server_time of Client and AsyncClient against a loopback venue that answers with a page of maintenance
# (status 200, text/html), a gateway's page (503, text/html), a right answer labelled text/plain, and a refusal whose
# JSON is a text and not an object (503, "Service Unavailable").
#
# Expected: the same from both. Each of their methods says ":raises: BinanceRequestException, BinanceAPIException"; the
# project's page on exceptions says of the first that it is raised if a non JSON response is returned. So a desk that
# catches these two catches what a venue may answer, and reads in the message what the venue said.
#
# Happens: AsyncClient reads the label first: a page with status 200, and a right answer with another label, become
# aiohttp's ContentTypeError, which is neither of the two and no ValueError, where Client gives BinanceRequestException
# or the answer. On an error status the message of AsyncClient holds the name of a bound method in place of the page
# ("<bound method ClientResponse.text of ..."): in the log stands no word of what the gateway said. And a refusal that is
# JSON but no object ends in AttributeError in both, raised while the exception is being made, so that status and text
# are lost; a loop that waits after BinanceAPIException dies of it.
#
# Seen (Client; AsyncClient):
#   200 text/html page:        BinanceRequestException; ContentTypeError
#   200 text/plain, right JSON: the answer; ContentTypeError
#   503 text/html page:        BinanceAPIException with the page; BinanceAPIException with a bound method
#   503 JSON text:             AttributeError; AttributeError
#
# Way round: catch aiohttp.ClientError and AttributeError as well; log await error.response.text(), which is kept.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check python-binance==1.0.37 aiohttp==3.14.5 requests==2.34.2
cd "$dir"
venv/bin/python - <<'PY'
import asyncio
import http.server
import threading

from binance import AsyncClient, Client

answers = []


class Venue(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, label, text = answers[0]
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", label)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Venue)
threading.Thread(target=server.serve_forever, daemon=True).start()
api = f"http://127.0.0.1:{server.server_port}/api"
Sync = type("Sync", (Client,), {"API_URL": api})
Async = type("Async", (AsyncClient,), {"API_URL": api})
PAGE = "<html>Maintenance until noon</html>"


def told(error):
    words = "the page" if PAGE in str(error) else "a bound method" if "bound method" in str(error) else "neither"
    return type(error).__name__, words


def sync():
    try:
        return Sync("key", "secret", ping=False).get_server_time()
    except Exception as error:
        return told(error)


async def awaited():
    client = Async("key", "secret")
    try:
        return await client.get_server_time()
    except Exception as error:
        return told(error)
    finally:
        await client.close_connection()


def both(*answer):
    answers[:] = [answer]
    return sync(), asyncio.run(awaited())


time = {"serverTime": 1767225600000}
expect("200, JSON:", both(200, "application/json", '{"serverTime": 1767225600000}'), (time, time))
expect("200, a page:", both(200, "text/html", PAGE),
       (("BinanceRequestException", "the page"), ("ContentTypeError", "neither")))
expect("200, right JSON as text/plain:", both(200, "text/plain", '{"serverTime": 1767225600000}'),
       (time, ("ContentTypeError", "neither")))
expect("503, a page:", both(503, "text/html", PAGE),
       (("BinanceAPIException", "the page"), ("BinanceAPIException", "a bound method")))
expect("503, a JSON text:", both(503, "application/json", '"Service Unavailable"'),
       (("AttributeError", "neither"), ("AttributeError", "neither")))
PY
