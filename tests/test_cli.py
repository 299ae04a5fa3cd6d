#!/usr/bin/env python3
"""The command line from outside: exit codes, where messages go, what they name.  test_cli.py STWATCH"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/release/stwatch")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TRACE = os.path.join(ROOT, "examples", "traces", "stall.trace")


def run(*args, stdin=None, env=None):
    return subprocess.run([PROGRAM, *args], input=stdin, capture_output=True, env={**os.environ, **(env or {})}, timeout=120)


class Usage(unittest.TestCase):
    def wrong(self, *args, names, points_at="--help"):
        done = run(*args)
        message = done.stderr.decode()
        self.assertEqual(done.returncode, 2, message)
        self.assertEqual(done.stdout, b"")
        self.assertTrue(message.startswith("stwatch: "), message)
        self.assertIn(names, message)
        self.assertIn(points_at, message)

    def test_wrong_usage_names_the_option(self):
        self.wrong("--bogus", TRACE, names="--bogus", points_at="stwatch diagnose --help")
        self.wrong("stat", "--bogus", TRACE, names="--bogus", points_at="stwatch stat --help")
        self.wrong("diagnose", "--fail-on", "much", TRACE, names="--fail-on")
        self.wrong("diagnose", "--top", names="--top")
        self.wrong("diagnose", "--top=x", TRACE, names="--top")
        self.wrong("diagnose", "--focus", "goroutine x", TRACE, names="--focus")
        self.wrong("diagnose", "--from", "tomorrow", TRACE, names="--from")
        self.wrong("diagnose", "--from", "2", "--to", "1", TRACE, names="--to")
        self.wrong("--threads", "100000", "stat", TRACE, names="--threads")
        self.wrong("--memory", "lots", "stat", TRACE, names="--memory")
        self.wrong("events", "--kind", "Sync,Nope", TRACE, names="'Nope'")
        self.wrong("cut", TRACE, TRACE, names="cut")
        self.wrong("stat", names="FILE")
        self.wrong("explain", "nothing-known", names="nothing-known")
        self.wrong("help", "nothing-known", names="nothing-known")
        self.wrong(names="FILE")

    def test_help_is_there_for_everything(self):
        overview = run("--help")
        self.assertEqual(overview.returncode, 0)
        for command in ("diagnose", "stat", "events", "states", "path", "cut", "profile", "index", "explain", "doctor", "completion"):
            self.assertIn(command, overview.stdout.decode())
            for args in ((command, "--help"), ("help", command), ("--help", command)):
                done = run(*args)
                self.assertEqual(done.returncode, 0)
                self.assertTrue(done.stdout.decode().startswith("usage: stwatch " + command))

    def test_what_is_not_there_says_so(self):
        for command in ("record", "inspect", "watch", "view", "query", "export", "compare", "model"):
            done = run(command, TRACE)
            self.assertEqual(done.returncode, 5)
            self.assertIn("not available in this version", done.stderr.decode())
            self.assertNotIn("  %s " % command, run("--help").stdout.decode())

    def test_version_and_doctor(self):
        version = run("--version")
        self.assertEqual(version.returncode, 0)
        self.assertIn("built in:", version.stdout.decode())
        self.assertEqual(run("doctor").returncode, 0)
        checks = {c["name"]: c["available"] for c in json.loads(run("doctor", "--format", "json").stdout)["checks"]}
        for always in ("Go traces, 1.22 on", "Go traces, 1.5 to 1.21", "gzip, zstd", "goroutine dumps", "GODEBUG output"):
            self.assertTrue(checks[always], always)

    def test_explain(self):
        topics = json.loads(run("--format", "json", "explain").stdout)["topics"]
        self.assertIn("stw-prolonged", topics)
        for topic in topics:
            done = run("explain", topic)
            self.assertEqual(done.returncode, 0, topic)
            self.assertGreater(len(done.stdout), 80, topic)


class Input(unittest.TestCase):
    def test_what_can_not_be_read_is_3(self):
        for command in ("diagnose", "stat", "events"):
            done = run(command, os.path.join(ROOT, "no such file"))
            self.assertEqual(done.returncode, 3)
            self.assertIn("no such file", done.stderr.decode())
            done = run(command, os.path.join(ROOT, "LICENSE"))
            self.assertEqual(done.returncode, 3)
            self.assertRegex(done.stderr.decode(), r"^stwatch: .*LICENSE: .*a trace begins with")
            self.assertEqual(done.stdout, b"")
            done = run(command, "-", stdin=b"")
            self.assertEqual(done.returncode, 3, done.stderr)

    def test_a_mistyped_command_is_told(self):
        done = run("diagnoze")
        self.assertEqual(done.returncode, 3)
        self.assertIn("nor is 'diagnoze' a command", done.stderr.decode())

    def test_a_cut_trace_is_4_with_a_result(self):
        with open(TRACE, "rb") as file:
            data = file.read()
        with tempfile.NamedTemporaryFile(suffix=".trace") as cut:
            cut.write(data[:len(data) * 2 // 3])
            cut.flush()
            done = run("diagnose", "--format", "json", cut.name)
            self.assertEqual(done.returncode, 4, done.stderr)
            document = json.loads(done.stdout)
            self.assertFalse(document["inputs"][0]["complete"])
            self.assertTrue(document["inputs"][0]["problems"])
            self.assertRegex(done.stderr.decode(), r"^stwatch: .*: at byte \d+: ")

    def test_standard_input(self):
        with open(TRACE, "rb") as file:
            data = file.read()
        piped, named = run("stat", "--format", "json", "-", stdin=data), run("stat", "--format", "json", TRACE)
        self.assertEqual(piped.returncode, 0, piped.stderr)
        self.assertEqual(json.loads(piped.stdout)["summary"], json.loads(named.stdout)["summary"])


class Diagnose(unittest.TestCase):
    def test_a_file_alone_is_diagnosed(self):
        self.assertEqual(run(TRACE).stdout, run("diagnose", TRACE).stdout)
        self.assertEqual(run("--top", "1", TRACE).returncode, 0)

    def test_fail_on(self):
        findings = json.loads(run("--format", "json", TRACE).stdout)["findings"]
        self.assertIn("error", {finding["severity"] for finding in findings})
        self.assertEqual(run("--fail-on", "error", TRACE).returncode, 1)
        self.assertEqual(run(TRACE).returncode, 0)
        ignored = [argument for finding in findings for argument in ("--ignore", finding["id"])]
        done = run("diagnose", "--fail-on", "note", *ignored, TRACE)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("nothing wrong found", done.stdout.decode())

    def test_thresholds_are_options_and_printed(self):
        document = json.loads(run("--format", "json", TRACE).stdout)
        option = next(iter(document["settings"]))
        self.assertTrue(document["settings"])
        help_text = run("diagnose", "--help").stdout.decode()
        for name in document["settings"]:
            self.assertIn("--" + name, help_text)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
            config.write("# a comment\nnothing-known = 1\n")
            config.flush()
            done = run("--config", config.name, TRACE)
            self.assertEqual(done.returncode, 2)
            self.assertIn("line 2", done.stderr.decode())
        self.assertEqual(run("--" + option, "nonsense", TRACE).returncode, 2)

    def test_fits_the_page(self):
        for command in ("diagnose", "stat"):
            text = run(command, TRACE).stdout.decode()
            self.assertNotIn("\x1b", text)
            for line in text.splitlines():
                self.assertLessEqual(len(line), 100, line)
            self.assertIn("\x1b[", run("--color", "always", command, TRACE).stdout.decode())

    def test_the_same_for_any_number_of_threads(self):
        outputs = {run("--threads", str(n), "--format", "json", TRACE).stdout for n in (1, 2, 7)}
        self.assertEqual(len(outputs), 1)


class Output(unittest.TestCase):
    def test_output_that_can_not_be_written_is_an_error(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        for command in ("diagnose", "stat", "events", "explain", "doctor"):
            with open("/dev/full", "wb") as full:
                args = [command] if command in ("explain", "doctor") else [command, TRACE]
                done = subprocess.run([PROGRAM, *args], stdout=full, stderr=subprocess.PIPE, timeout=120)
            self.assertEqual(done.returncode, 3, command)
            self.assertIn("standard output: ", done.stderr.decode())

    def test_a_closed_pipe_ends_quietly(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([PROGRAM, "events", TRACE], stdout=writer, stderr=subprocess.PIPE, timeout=120)
        os.close(writer)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_an_interrupt_is_130(self):
        # A pipe that never ends: the program is surely still at work when the signal comes.
        with open(TRACE, "rb") as file:
            head = file.read(50000)
        process = subprocess.Popen([PROGRAM, "diagnose", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(head)
        process.stdin.flush()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.stdin.close()
        process.stdin = None
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
