"""What the Python tests share: where the program is, how a failure is noted, how a test is skipped."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("STWATCH_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(SOURCE, "tests", "data")
HEAVY = os.environ.get("STWATCH_HEAVY", "") not in ("", "0")
MAX_SHOWN = int(os.environ.get("STWATCH_MAX_SHOWN") or 20)


def program():
    """The path of the built program (first argument, or STWATCH, or the release build); ends the test as skipped without one."""
    given = [a for a in sys.argv[1:2] if not a.startswith("-")]
    path = (given or [os.environ.get("STWATCH") or os.path.join(SOURCE, "build", "release", "stwatch")])[0]
    if not os.access(path, os.X_OK):
        skip("no program at %s (give its path, or set STWATCH)" % path)
    return os.path.abspath(path)


def skip(why):
    print("skipped: %s" % why)
    sys.exit(77)


def run_bytes(path, *args):
    """Runs the program: exit code, what it printed, what it said on standard error as text."""
    done = subprocess.run([path, *args], capture_output=True, timeout=300)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def run_text(path, *args):
    """The same with text for what it printed."""
    code, out, err = run_bytes(path, *args)
    return code, out.decode("utf-8", "replace"), err


def diagnose(path, *files):
    """A diagnosis: exit code, the JSON document (None: none was printed), standard error."""
    code, out, err = run_bytes(path, "diagnose", "--format", "json", *files)
    return code, json.loads(out) if out else None, err


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


class Report:
    """Counts what held and what did not."""

    def __init__(self):
        self.held = self.failed = 0

    def check(self, name, trouble):
        """Notes that name held, or its trouble (None or "" if there was none)."""
        if not trouble:
            self.held += 1
            return True
        self.failed += 1
        if self.failed <= MAX_SHOWN:
            print("FAILED %s: %s" % (name, trouble), flush=True)
        return False

    def note(self, text):
        print(text, flush=True)

    def finish(self):
        """Prints the sum and ends the test."""
        if self.failed > MAX_SHOWN:
            print("… and %d more" % (self.failed - MAX_SHOWN))
        print("%d held, %d failed" % (self.held, self.failed))
        sys.exit(1 if self.failed or not self.held else 0)


class Scratch:
    """A directory for the time of a test, in memory where the machine has such a place."""

    def __enter__(self):
        shm = "/dev/shm"
        self.path = tempfile.mkdtemp(prefix="stwatch-test-", dir=shm if os.access(shm, os.W_OK) else None)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name, data):
        path = os.path.join(self.path, name)
        with open(path, "wb") as file:
            file.write(data)
        return path


def keep(name, data):
    """Keeps an input that failed beside the program, so that it can be looked at; its path."""
    folder = os.path.join(os.path.dirname(program()), "test-failures")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path
