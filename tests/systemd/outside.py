#!/usr/bin/env python3
"""The world outside of the container, on loopback: a shop's API, a Bot API, and a name server that sends every name here.

    outside.py DIRECTORY

Writes each call as a line of DIRECTORY/calls: the method, the path, and the key it came with. While DIRECTORY/broken
exists the API answers 500. Ports: 53 for names, 8780 for the rest.
"""

import http.server
import json
import pathlib
import socket
import struct
import sys
import threading

DIRECTORY = pathlib.Path(sys.argv[1])
PRODUCT = {"_id": "600c45c60000000000000004", "code": "PK64000158", "name": "Feed 105", "price": 820, "stock": 40,
           "min_stock": 5, "lastupdate": "2025-10-01T05:04:59.197Z"}


class Outside(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        rows = [PRODUCT] if self.path.startswith("/developer/api/stock") else []
        if (DIRECTORY / "broken").exists():
            self.answer(500, {"message": "An unexpected error occurred"})
        else:
            self.answer(200, {"success": 1, "data": rows, "total": len(rows), "total_page": 1})

    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["content-length"])))
        chat = {"id": call["chat_id"], "type": "supergroup", "title": "shop"}
        message = {"message_id": 1, "date": 1768444200, "chat": chat, "text": call["text"]}
        self.answer(200, {"ok": True, "result": message})

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        with open(DIRECTORY / "calls", "a", encoding="utf-8") as calls:
            calls.write(f"{self.command} {self.path} {self.headers['apikey']}\n")


def answer_names(names):
    """127.0.0.1 for each question for an IPv4 address, and no address for the others."""
    while True:
        query, asker = names.recvfrom(512)
        end = query.index(b"\0", 12) + 5
        kind = struct.unpack("!H", query[end - 4:end - 2])[0]
        found = 1 if kind == 1 else 0
        head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, found, 0, 0)
        address = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
        names.sendto(head + query[12:end] + address * found, asker)


names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("127.0.0.1", 53))
threading.Thread(target=answer_names, args=[names], daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8780), Outside)
(DIRECTORY / "listening").touch()
server.serve_forever()
