#!/usr/bin/env python3
"""Plant faults of known size in Go programs, record them, and judge what stwatch makes of the recordings.

    run.py [--stwatch PROGRAM] [--only NAME] [--go VERSION] [--full] [--record-only] [--keep] [--out DIR]

Each program of truth/programs is recorded with several versions of Go and values of GOMAXPROCS; `stwatch diagnose` gets the
traces under names that say nothing. A planted fault must be found by the right rule, with the right culprit or victim, at about
its size; on a look-alike nothing may be reported at warning or above. Prints a line for each miss and false alarm, then
precision and recall by rule. Exit status: 0 all right, 1 a miss or a false alarm, 77 no Go here.
"""
import argparse
import collections
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases  # noqa: E402
import observe  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
VERSIONS = ["1.11.13", "1.17.13", "1.21.13", "1.22.12", "1.23.12", "1.24.0", "1.25.0"]     # and whatever Go is installed
MODULES = 22      # the module says go 1.22: older ones build in a GOPATH, and only the programs that keep to Go 1.9
LEVELS = {"note": 0, "warning": 1, "error": 2}
FLOOR_MS = 8.0
TRIES = 3
RETRIES = [25]    # of recordings that others disturbed, in all: on a machine that is always busy, more would only cost time
NOISY = {"outside-program", "stw-frequent", "goroutine-starved", "runqueue-backlog", "proc-idle-with-backlog"}    # true, where others took the CPU
FOREIGN = 0.25    # CPUs that others may use meanwhile; above, a recording is made again


# ---- toolchains and programs

def minor_of(version):
    return int(version.split(".")[1])


def environment(version):    # GOFLAGS that every version knows, and that is not empty: that would stand for what the user has set
    return dict(os.environ, GOTOOLCHAIN="local" if version is None else "go" + version, GOFLAGS="-tags=", GOWORK="off", CGO_ENABLED="0")


def without_modules(env):
    """The environment of an old toolchain that was chosen by `env`: it is called by its path, as the newer go only switches with modules on."""
    root = subprocess.run(["go", "env", "GOROOT"], env=env, stdout=subprocess.PIPE, text=True).stdout.strip()
    return env | {"GO111MODULE": "off", "GOROOT": root, "GOTOOLCHAIN": "local"}


def toolchains(wanted):
    """{version: environment} of those that are here or can be fetched; says which are not."""
    done = subprocess.run(["go", "env", "GOVERSION"], env=environment(None), stdout=subprocess.PIPE, text=True)
    local = done.stdout.strip().removeprefix("go")
    found = {}
    for version in VERSIONS + [local]:
        if wanted and not any(version == w or version.startswith(w + ".") for w in wanted):
            continue
        env = environment(None if version == local else version)
        try:
            done = subprocess.run(["go", "version"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
            why = done.stdout.strip().splitlines()[-1:] if done.returncode else None
        except subprocess.TimeoutExpired:
            why = ["no answer"]
        if why:
            print(f"SKIP   go{version}: {why[0]}")
        else:
            found[version] = without_modules(env) if minor_of(version) < MODULES else env
    return found


def build_old(env, programs, out, into):
    """In a GOPATH of its own, one after the other, as Go did before modules."""
    path = os.path.join(out, "gopath")
    module = os.path.join(path, "src", "example.org", "planted")
    os.makedirs(os.path.dirname(module), exist_ok=True)
    if os.path.islink(module):
        os.remove(module)
    os.symlink(os.path.join(HERE, "programs"), module)
    for program in sorted(programs):
        done = subprocess.run([os.path.join(env["GOROOT"], "bin", "go"), "build", "-o", os.path.join(into, program), "example.org/planted/" + program], env=env | {"GOPATH": path}, cwd=out,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"{env['GOROOT']} can't build {program}:\n{done.stdout}")
    return into


def build(version, env, programs, out):
    into = os.path.join(out, "bin", version)
    os.makedirs(into, exist_ok=True)
    if minor_of(version) < MODULES:
        return build_old(env, programs, out, into)
    done = subprocess.run(["go", "build", "-trimpath", "-buildvcs=false", "-o", into + os.sep] + [f"./{p}" for p in sorted(programs)],
                          cwd=os.path.join(HERE, "programs"), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"go{version} can't build the programs:\n{done.stdout}")
    return into


# ---- recording

def busy_ticks():
    with open("/proc/stat", encoding="ascii") as f:
        user, nice, system, _idle, _wait, irq, soft, steal = map(int, f.readline().split()[1:9])
    return user + nice + system + irq + soft + steal


def own_ticks():
    used = os.times()
    return (used.user + used.system + used.children_user + used.children_system) * os.sysconf("SC_CLK_TCK")


def wait_until(moment):
    while (left := moment - time.time()) > 0:
        time.sleep(left)


def freeze(process, began):
    """Stop and continue the whole process several times; what was done, as truth."""
    lines = []
    for after, lasts in ((0.15, 0.06), (0.4, 0.12), (0.7, 0.2), (1.1, 0.09)):
        wait_until(began + after)
        os.kill(process.pid, signal.SIGSTOP)
        at = time.time()
        time.sleep(lasts)
        os.kill(process.pid, signal.SIGCONT)
        lines.append({"kind": "frozen", "func": "", "at_ms": round((at - began) * 1e3, 3), "ms": round((time.time() - at) * 1e3, 3)})
    return lines


def ration(process):
    """As a tight CPU quota does: 30 ms of every 100 ms."""
    while process.poll() is None:
        time.sleep(0.03)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.07)
        os.kill(process.pid, signal.SIGCONT)


def record_once(case, binary, procs, trace):
    """Truth's lines, or a word why not; and the CPUs that others used meanwhile."""
    truth = trace.removesuffix(".trace") + ".jsonl"
    for old in (trace, truth):
        if os.path.exists(old):
            os.remove(old)
    cmd = [binary, "-trace", trace, "-truth", truth, "-procs", str(procs)] + (["-mode", case.mode] if case.mode else []) + (["-samples"] if case.samples else [])
    env = {k: v for k, v in os.environ.items() if k not in ("GODEBUG", "GOMAXPROCS", "GOGC", "GOMEMLIMIT")} | case.env
    neighbours, prepare = [], None
    if case.driver == "squeeze":
        cpu = max(os.sched_getaffinity(0))
        pin = lambda: os.sched_setaffinity(0, {cpu})
        neighbours = [subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=pin) for _ in range(3)]
        prepare = lambda: (os.sched_setaffinity(0, {cpu}), os.nice(8))
    ticks, own, began = busy_ticks(), own_ticks(), time.time()
    more = []
    process = subprocess.Popen(cmd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=prepare)
    try:
        process.stdout.readline()
        if case.driver == "stop":
            more = freeze(process, time.time())
        if case.driver == "ration":
            ration(process)
        _, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None, "not done in 60 s", 0
    finally:
        for n in neighbours:
            n.kill()
            n.wait()
    took = time.time() - began
    foreign = (busy_ticks() - ticks - (own_ticks() - own)) / os.sysconf("SC_CLK_TCK") / took
    if process.returncode or not os.path.exists(truth):
        return None, f"exit {process.returncode}: {err.strip()[-200:]}", foreign
    with open(truth, encoding="utf8") as f:
        lines = [json.loads(line) for line in f]
    if case.driver == "squeeze":
        more = [{"kind": "squeezed", "func": "", "at_ms": 0.0, "ms": next(x["at_ms"] for x in lines if x["kind"] == "stopped")}]
    return lines + more, None, foreign


def planted(case, lines):
    """[(fault, its lines)]; a fault that noise kept too small has no lines."""
    for fault in case.faults:
        mine = [x for x in lines if x["kind"] == fault.kind]
        yield fault, mine if mine and max(x["ms"] for x in mine) >= fault.least else []


def record(case, binary, procs, trace):
    lines, why = None, None
    for _ in range(TRIES):
        lines, why, foreign = record_once(case, binary, procs, trace)
        if lines is None:
            continue
        noisy = not case.driver and foreign > FOREIGN
        if noisy:
            RETRIES[0] -= 1
            lines.append({"kind": "noise", "cpus": round(foreign, 2)})
        if all(mine for _, mine in planted(case, lines)) and (not noisy or RETRIES[0] < 0):
            break
    if lines is None:
        return None, why
    with open(trace.removesuffix(".trace") + ".jsonl", "w", encoding="utf8") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)
    return lines, None


def noise(lines):
    """What others used of the CPU during the recording, if that was much."""
    return next((f"others used {x['cpus']:.2f} CPUs meanwhile" for x in lines if x["kind"] == "noise"), None)


# ---- judging

def diagnose(stwatch, trace):
    with tempfile.TemporaryDirectory() as bare:
        unnamed = shutil.copyfile(trace, os.path.join(bare, "0001"))
        try:
            done = subprocess.run([stwatch, "diagnose", "--format", "json", unnamed], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
            return json.loads(done.stdout)["findings"], None
        except subprocess.TimeoutExpired:
            return [], "no answer in 120 s"
        except (ValueError, KeyError):
            return [], f"exit {done.returncode}: {done.stderr.decode('utf8', 'replace').strip()[-200:]}"


def named(who):
    return {who[k] for k in ("function", "leaf", "root") if who.get(k)} if who else set()


def ours(names):    # the package that all programs share is no program's own: who computes does so in its Burn
    return {n for n in names if n.startswith(("main.", "example.org/planted")) and not n.startswith("example.org/planted/internal/plant.")}


def loud(finding, level="warning"):
    return LEVELS[finding["severity"]] >= LEVELS[level]


def look(fault, lines, findings):
    """(found, culprit right, size right, what is wrong) of one fault."""
    culprits = ours({x["func"] for x in lines}) | {x["leaf"] for x in lines if x.get("leaf")} | set(fault.culprit or ()) if fault.culprit != [] else set()
    if fault.culprit == []:
        culprits = set()
        helpers = ours({x["func"] for x in lines})
    victims = set(fault.victim or ())
    largest = max(x["ms"] for x in lines)
    by_rule = [f for f in findings if f["rule"] in fault.rules]
    if not by_rule:
        return False, None, None, "no finding by " + ", ".join(fault.rules)
    audible = [f for f in by_rule if loud(f, fault.level)]
    if not audible:
        return False, None, None, f"only a {by_rule[0]['severity']} by {by_rule[0]['rule']}"
    best = (False, None, None, f"{audible[0]['rule']} names {', '.join(sorted(named(audible[0].get('culprit')))) or 'nobody'}")
    for f in audible:
        blamed = named(f.get("culprit"))
        harmed = set().union(*(named(v) for v in (f.get("victims") or [])[:5])) if f.get("victims") else set()
        if fault.culprit == []:     # the program's own code is not to blame, or only the function that the line names
            right = not (ours(blamed) - helpers - victims)
            found = right and (not victims or bool(harmed & victims) or bool(blamed & (victims | helpers)))
        else:
            right = bool(blamed & culprits)
            found = right or fault.either and bool(harmed & victims) and not ours(blamed) - culprits - victims
        if not found:
            continue
        sizes = [f.get("worst_ns") or f.get("duration_ns") or 0] + [o["duration_ns"] for o in f.get("occurrences") or []]
        fits = not fault.size or any(abs(s / 1e6 - largest) <= max(fault.share * largest, FLOOR_MS) for s in sizes)
        if fits:
            return True, right, True, None
        best = (True, right, False, f"{f['rule']} has {sizes[0] / 1e6:.1f} ms for {largest:.1f}")
    return best


class Score:
    def __init__(self, stwatch):
        self.rules = collections.defaultdict(collections.Counter)
        self.wrong = 0
        self.stwatch = stwatch
        self.rules_known = {}

    def known(self, rule):
        """Whether this version of the program has the rule: what it can't explain it doesn't look for."""
        if rule not in self.rules_known:
            self.rules_known[rule] = subprocess.run([self.stwatch, "explain", rule], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
        return self.rules_known[rule]

    def say(self, word, where, text):
        if word in ("MISSED", "FALSE", "FAILED"):
            self.wrong += 1
        print(f"{word:<7}{where}: {text}", flush=True)

    def judge(self, where, case, lines, findings):
        explained = set(case.beside)
        for fault, mine in planted(case, lines):
            explained |= set(fault.rules)
            if not self.known(fault.rules[0]):
                self.say("SKIP", where, f"{fault.kind}: this version has no rule {fault.rules[0]}")
                continue
            row = self.rules[fault.rules[0]]
            if not mine:
                self.say("SKIP", where, f"{fault.kind}: the recording doesn't show it (too small)")
                continue
            found, culprit, size, problem = look(fault, mine, findings)
            row["planted"] += 1
            row["found"] += found and size is not False
            row["named"] += bool(culprit)
            if problem:
                self.say("MISSED", where, f"{fault.kind}: {problem}")
            elif fault.cause and not any(f.get("cause") == fault.cause for f in findings if f["rule"] in fault.rules):
                self.say("CAUSE", where, f"{fault.kind}: not said to be {fault.cause}")
        askers = {x["asker"] for x in lines if x.get("asker")}
        for f in findings:
            if not loud(f):
                continue
            row = self.rules[f["rule"]]
            text = f"{f['rule']} ({f['severity']}, {', '.join(sorted(named(f.get('culprit')))) or 'no culprit'}): {f.get('title')}"
            if case.quiet and noise(lines) and f["rule"] in NOISY:
                self.say("NOISE", where, text)
            elif case.quiet or f["rule"] in case.never:
                row["false"] += 1
                self.say("FALSE", where, text)
            elif f["rule"] in cases.STW and (f.get("culprit") or {}).get("function") in askers:
                row["false"] += 1
                self.say("FALSE", where, "blames who asked for the stop: " + text)
            elif f["rule"] in explained:
                row["true"] += 1
            else:
                self.say("READ", where, text)

    def table(self):
        print(f"\n{'rule':<26}{'planted':>8}{'found':>7}{'recall':>8}{'culprit':>9}{'true':>6}{'false':>7}{'precision':>11}")
        for rule, n in sorted(self.rules.items()):
            recall = f"{n['found'] / n['planted']:.0%}" if n["planted"] else "-"
            said = n["true"] + n["false"]
            precision = f"{n['true'] / said:.0%}" if said else "-"
            print(f"{rule:<26}{n['planted']:>8}{n['found']:>7}{recall:>8}{n['named']:>9}{n['true']:>6}{n['false']:>7}{precision:>11}")


# ---- what was recorded, for other judges

def expectation(case, fault, lines, seen):
    """A planted fault in the words of the manifest; sizes as Go's own tool sees them, where it does."""
    one = lines[0]
    name, victim = one["func"] or None, (fault.victim or [None])[0]
    common = {"at_ms": one["at_ms"], "ms": max(x["ms"] for x in lines), "func": name, "source": "program"}
    waits = [{"ms": w[1], "at_ms": w[0]} for w in seen["waits"].get(("Runnable", victim), [])[:5]]
    if fault.kind == "stw":
        entries = []
        for x in lines:
            stop = min((s for s in seen["stops"] if s[0].startswith(x["reason"][:8])), key=lambda s: abs(s[1] - x["at_ms"]), default=None)
            if stop and stop[2] > 11:
                entries.append({"kind": "stw_long", "scenario": case.name, "reason": stop[0], "at_ms": stop[1], "stw_ms": stop[2], "requested_by": {"func": x["asker"]},
                                "held_up_by": {"func": name, "leaf": (fault.culprit or [None])[0]}, "visible": "stw event", "measured_ms": x["ms"]})
        return entries
    right = lambda culprit, harmed: {"rules": fault.rules, "culprit": culprit, "victim": harmed}
    if fault.kind == "saturation":
        every = [{"ms": w[1]} for k, v in seen["waits"].items() if k[0] == "Runnable" for w in v[:1]]
        return [{"kind": "runnable_starvation", "victim_func": victim, "cause_func": name, "victim_waits": waits, "longest_runnable_wait": sorted(every, key=lambda w: -w["ms"])[:3]}]
    if fault.kind == "frequent":
        return [{"kind": "stw_frequent", "visible": True} | common]
    if fault.kind in ("backlog", "netburst"):
        return [{"kind": "runnable_wait" if fault.kind == "backlog" else "netpoll_burst"} | common]
    if fault.kind == "stuck":
        return [{"kind": "syscall_long", "func": x["func"], "ms": x["ms"], "at_ms": x["at_ms"], "goroutine": x["goroutine"]} for x in lines]
    if fault.kind == "held":
        return [{"kind": "lock_wait", "func": victim, "ms": common["ms"], "at_ms": one["at_ms"], "holder": {"func": name, "while": "sleep"}}]
    if fault.kind == "convoy":
        return [{"kind": "lock_held_while_blocked"} | common]
    if fault.kind == "leak":
        return [{"kind": "blocked_forever", "op": "chan send"} | common]
    if fault.kind == "embrace":
        return [{"kind": "never_released", "root": {"func": name}} | common]
    if fault.kind == "churn":
        return [{"kind": "gc_storm"} | common]
    if fault.kind in ("frozen", "squeezed"):
        return [{"kind": "process_stopped", "right": right([], [])} | common]
    if fault.culprit == []:
        return [{"kind": fault.kind, "victim_waits": waits, "right": right([], fault.victim or [])} | common]
    culprits = sorted({x["func"] for x in lines} | {x["leaf"] for x in lines if x.get("leaf")} | set(fault.culprit or ()))
    return [{"kind": fault.kind, "victim_waits": waits, "right": right(culprits, (fault.victim or []) if fault.either else [])} | common]


def describe(case, version, procs, trace, lines):
    seen = observe.observe(trace)
    with open(trace, "rb") as f:
        header = f.read(16).rstrip(b"\0").decode("ascii", "replace")
    expect = [e for fault, mine in planted(case, lines) if mine for e in expectation(case, fault, mine, seen)]
    if case.quiet and not noise(lines):
        expect = [{"kind": "none"}]
    waits = sorted(((s[1], k[1], k[0]) for k, v in seen["waits"].items() for s in v[:1]), reverse=True)
    return {"file": os.path.basename(trace), "scenario": case.name, "mode": case.mode, "go": "go" + version, "header": header, "size": os.path.getsize(trace), "gomaxprocs": procs, "env": case.env,
            "noise": noise(lines), "companions": {"truth": os.path.basename(trace).removesuffix(".trace") + ".jsonl"},
            "oracle_observed": {"span_ms": round(seen["span_ms"], 3), "events": seen["events"], "samples": seen["samples"],
                                "stw_ms_over_5": [[n, round(at, 3), round(ms, 3)] for n, at, ms in seen["stops"] if ms > 5],
                                "longest_runnable_wait": [{"ms": round(ms, 3), "func": who} for ms, who, what in waits if what == "Runnable"][:5],
                                "longest_syscall": [{"ms": round(ms, 3), "func": who} for ms, who, what in waits if what == "Syscall"][:5]},
            "expect": expect, "must_not": ["any finding"] if case.quiet and not noise(lines) else []}


# ---- the whole

def matrix(chosen, versions, full):
    """(case, version, GOMAXPROCS): everything, or two or three recordings a case that together touch every version and value."""
    for case in chosen:
        i = cases.CASES.index(case)
        fit = [v for v in versions if minor_of(v) >= case.oldest]
        if full or len(fit) <= 1:
            yield from ((case, v, p) for v in fit for p in case.procs)
            continue
        newest, older = fit[-1], fit[:-1]
        yield case, newest, case.procs[0]
        yield case, older[i % len(older)], case.procs[1 % len(case.procs)]
        if case.faults and len(older) > 1:
            yield case, older[(i + 1 + i // len(older)) % len(older)], case.procs[2 % len(case.procs)]


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--stwatch", default=os.path.join(HERE, "..", "build", "release", "stwatch"), help="the program to judge")
    ask.add_argument("--only", action="append", help="only this case or program; may be repeated")
    ask.add_argument("--go", action="append", help="only this version of Go, as 1.24 or 1.24.0; may be repeated")
    ask.add_argument("--full", action="store_true", help="every version of Go with every GOMAXPROCS")
    ask.add_argument("--record-only", action="store_true", help="record, write manifest.json, judge nothing")
    ask.add_argument("--keep", action="store_true", help="judge the recordings that are there; make only those that are missing")
    ask.add_argument("--out", default=os.path.join(HERE, "..", "build", "truth"), help="where the recordings go")
    args = ask.parse_args()
    if not shutil.which("go"):
        print("SKIP   truth: no Go here (go is not on the PATH)")
        return 77
    if platform.system() != "Linux":
        print("SKIP   truth: the programs use Linux's system calls")
        return 77
    chosen = [c for c in cases.CASES if not args.only or c.name in args.only or c.program in args.only]
    if not chosen:
        sys.exit("run.py: no such case; there are " + ", ".join(c.name for c in cases.CASES))
    if not args.record_only and not os.access(args.stwatch, os.X_OK):
        sys.exit(f"run.py: no program at {os.path.normpath(args.stwatch)} (run `make build` first)")
    out = os.path.abspath(args.out)
    os.makedirs(out, exist_ok=True)
    found = toolchains(args.go)
    if not found:
        print("SKIP   truth: none of the wanted versions of Go is here")
        return 77
    plan = list(matrix(chosen, list(found), args.full))
    need = collections.defaultdict(set)
    trace_of = {}
    for case, version, procs in plan:
        trace = os.path.join(out, f"{case.name}-go{version}-p{procs}.trace")
        trace_of[(case.name, version, procs)] = trace
        if not (args.keep and os.path.exists(trace) and os.path.exists(trace.removesuffix(".trace") + ".jsonl")):
            need[version].add(case.program)
    for version, programs in need.items():
        build(version, found[version], programs, out)
    score, entries = Score(args.stwatch), []
    for case, version, procs in plan:
        trace = trace_of[(case.name, version, procs)]
        where = os.path.basename(trace).removesuffix(".trace")
        beside = trace.removesuffix(".trace") + ".jsonl"
        why = None
        if args.keep and os.path.exists(trace) and os.path.exists(beside):
            with open(beside, encoding="utf8") as f:
                lines = [json.loads(line) for line in f]
        else:
            lines, why = record(case, os.path.join(out, "bin", version, case.program), procs, trace)
        if lines is None:
            score.say("SKIP", where, f"not recorded: {why}")
            continue
        if args.record_only:
            entries.append(describe(case, version, procs, trace, lines))
            small = [fault.kind for fault, mine in planted(case, lines) if not mine]
            print(f"made   {where}{': ' + noise(lines) if noise(lines) else ''}{'; doesn’t show ' + ', '.join(small) if small else ''}", flush=True)
            continue
        findings, problem = diagnose(args.stwatch, trace)
        if problem:
            score.say("FAILED", where, problem)
            continue
        if noise(lines):
            score.say("NOISE", where, noise(lines))
        score.judge(where, case, lines, findings)
    if args.record_only:
        path = os.path.join(out, "manifest.json")
        if os.path.exists(path):    # recordings made earlier stay listed
            with open(path, encoding="utf8") as f:
                fresh = {e["file"] for e in entries}
                entries = [e for e in json.load(f)["traces"] if e["file"] not in fresh and os.path.exists(os.path.join(out, e["file"]))] + entries
        with open(path, "w", encoding="utf8") as f:
            json.dump({"times": "at_ms counts from the return of trace.Start; durations in ms", "traces": entries}, f, indent=1)
        print(f"{len(entries)} recordings in {out}")
        return 0
    score.table()
    print(f"{len(plan)} recordings, {score.wrong} misses and false alarms")
    return 1 if score.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
