#!/usr/bin/env python3
"""http addresses as inputs: what is fetched is recognised and read like a file; errors of the server and of the network are told; a real
net/http/pprof server where there is a Go.

    test_http.py [PROGRAM]
"""
import gzip
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

TRACE = os.path.join(harness.DATA, "snapshots", "go1.26", "d.trace")
LIMIT = 90


def run(*args):
    done = subprocess.run([PROGRAM, *args], capture_output=True, timeout=LIMIT, env=dict(os.environ, no_proxy="*", http_proxy=""))
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


class Handler(http.server.BaseHTTPRequestHandler):
    trace = open(TRACE, "rb").read()

    def do_GET(self):
        pages = {"/trace": self.trace, "/trace.gz": gzip.compress(self.trace), "/empty": b"", "/page": b"<html>\0\1</html>" * 99}
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/trace")
            self.end_headers()
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for at in range(0, len(self.trace), 2000):
                self.wfile.write(self.trace[at:at + 2000])
                self.wfile.flush()
                time.sleep(0.02)
        elif self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.trace)))
            self.end_headers()
            self.wfile.write(self.trace[:5000])
        elif self.path in pages:
            self.send_response(200)
            self.send_header("Content-Length", str(len(pages[self.path])))
            self.end_headers()
            self.wfile.write(pages[self.path])
        else:
            self.send_error(404)

    def log_message(self, *_):
        pass


def without_names(text):
    doc = json.loads(text)
    for i in doc["inputs"]:
        i["file"] = i["bytes"] = None
    return doc


def fetched(report, base):
    _, want, _ = run("stat", "--format", "json", TRACE)
    for page in ("/trace", "/trace.gz", "/moved", "/slow"):
        code, out, err = run("stat", "--format", "json", base + page)
        report.check(page, None if code == 0 and without_names(out) == without_names(want) else (code, err))
    code, out, err = run("stat", "--format", "json", "--follow", base + "/slow")
    report.check("followed", None if code == 0 and without_names(out.splitlines()[-1]) == without_names(want) else (code, err))
    code, out, _ = run("events", base + "/trace")
    report.check("events", None if code == 0 and out == run("events", TRACE)[1] else code)


def refused(report, base):
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    cases = {
        base + "/none": (3, "404"),
        base + "/empty": (3, "the file is empty"),
        base + "/page": (3, "not a Go execution trace"),
        base + "/cut": (3, "can't fetch"),
        base + "/elsewhere": (3, "can't fetch"),
        "http://127.0.0.1:%d/trace" % closed.getsockname()[1]: (3, "can't fetch"),
    }
    for address, (want, words) in cases.items():
        code, out, err = run("diagnose", address)
        report.check(address, None if code == want and not out and words in err and address in err else (code, out, err))
    code, _, err = run("diagnose", "--from", "2026-01-01T00:00:00Z", base + "/trace")
    report.check("wall times", None if code == 2 and "read twice" in err else (code, err))
    closed.close()


SERVER = """package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	fmt.Println(l.Addr())
	go http.Serve(l, nil)
	os.Stdin.Read(make([]byte, 1))
}
"""


def pprof_server(report, scratch):
    if not shutil.which("go"):
        report.note("no net/http/pprof server was asked: there is no go here")
        return
    source, binary = scratch.write("server.go", SERVER.encode()), os.path.join(scratch.path, "server")
    built = subprocess.run(["go", "build", "-o", binary, source], capture_output=True, timeout=300, env=dict(os.environ, CGO_ENABLED="0"))
    if built.returncode:
        report.note("no net/http/pprof server was asked: go build: %s" % built.stderr.decode()[-200:])
        return
    server = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        base = "http://%s/debug/pprof/" % server.stdout.readline().decode().strip()
        code, out, err = run("diagnose", "--format", "json", base + "trace?seconds=1", base + "goroutine?debug=2")
        kinds = [i["kind"] for i in json.loads(out)["inputs"]] if out else None
        report.check("a server's trace and dump", None if code == 0 and kinds == ["go-trace", "goroutine-dump"] else (code, kinds, err))
    finally:
        server.communicate(b"x")


if __name__ == "__main__":
    PROGRAM = harness.program()
    counts = harness.Report()
    if "http addresses" not in run("--version")[1].decode():
        code, _, err = run("diagnose", "http://127.0.0.1:1/trace")
        counts.check("without the part", None if code == 5 and "curl -s ADDRESS | stwatch diagnose -" in err else (code, err))
        counts.note("nothing was fetched: this program was built without libcurl")
        counts.finish()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = "http://127.0.0.1:%d" % server.server_address[1]
    fetched(counts, here)
    refused(counts, here)
    with harness.Scratch() as folder:
        pprof_server(counts, folder)
    counts.finish()
