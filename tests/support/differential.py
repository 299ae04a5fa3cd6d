"""Many damaged traces, each read by Go's reader and by ours: what test_mutants.py, test_mutants_v1.py and fuzz/differential.py share."""
import collections
import concurrent.futures
import os
import threading

import harness
import oracle


class Judges:
    """One of Go's readers for each thread that asks."""

    def __init__(self):
        oracle.GoReader()  # builds it once; Unavailable goes to the caller
        self.local, self.all, self.lock = threading.local(), [], threading.Lock()

    def read(self, path):
        if not hasattr(self.local, "reader"):
            self.local.reader = oracle.GoReader()
            with self.lock:
                self.all.append(self.local.reader)
        return self.local.reader.read(path)

    def close(self):
        for reader in self.all:
            reader.close()


def hold(program, judges, scratch, data, verdict):
    """(verdict of Go's: a word for the count, trouble or None). verdict(judges, path, data, go, ours) is the format's own: it may ask
    again, and gives (go's reading, trouble)."""
    path = scratch.write("%d.trace" % threading.get_ident(), data)
    try:
        go = judges.read(path)
    except oracle.Unavailable:
        go = None
    ours = oracle.read_ours(program, path, timeout=60)
    if go is None:  # no verdict to hold, but no crash either
        return "no verdict", None if ours.code in (0, 3, 4) else "exit %s: %s" % (ours.code, ours.message)
    go, trouble = verdict(judges, path, data, go, ours)
    return "accepted" if go.accepted else "panicked" if go.message.startswith("panic: ") else "rejected", trouble


def hold_all(program, report, judges, mutants, verdict, kept):
    """Checks every (name, data) of mutants; a Counter of Go's verdicts. kept: how files of disagreements are named."""
    words = collections.Counter()
    with harness.Scratch() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        waiting = collections.deque()

        def settle():
            name, data, future = waiting.popleft()
            word, trouble = future.result()
            words[word] += 1
            if not report.check(name, trouble) and report.failed <= harness.MAX_SHOWN:
                report.note("  kept: %s" % harness.keep("%s-%s.trace" % (kept, name.split()[0]), data))

        for name, data in mutants:
            waiting.append((name, data, pool.submit(hold, program, judges, scratch, data, verdict)))
            if len(waiting) > 64:
                settle()
        while waiting:
            settle()
    return words
