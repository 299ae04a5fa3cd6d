"""What is planted, and what must be found: a row for each program and mode."""
import dataclasses

STW = ["stw-prolonged", "non-preemptible"]
LOCK = ["lock-convoy", "goroutine-stuck-waiting", "goroutine-stuck-syscall"]
STARVED = ["goroutine-starved", "runqueue-backlog"]


@dataclasses.dataclass
class Fault:
    """A planted fault: the kind of line by which the program notes it, and what of it a diagnosis must name."""
    kind: str
    rules: list                       # any of these may report it; the first one is the rule that it is meant for
    culprit: list = None              # besides the function in the program's line; [] says: nobody in the program
    victim: list = None
    level: str = "warning"            # how loud it must be at least
    size: bool = True                 # the finding's worst must be near the largest measured
    share: float = 0.25
    least: float = 0                  # in ms: a recording in which noise kept the fault below this doesn't count
    either: bool = False              # naming the victim is as good as naming the culprit
    cause: str = None                 # the cause's word, where the contract fixes it: told, but not judged


@dataclasses.dataclass
class Case:
    name: str
    program: str
    faults: list = dataclasses.field(default_factory=list)
    mode: str = ""
    procs: tuple = (2, 8)
    env: dict = dataclasses.field(default_factory=dict)
    beside: list = dataclasses.field(default_factory=list)   # rules that may well report what follows from the fault
    never: list = dataclasses.field(default_factory=list)    # rules that would be a false alarm here
    samples: bool = False                                    # with CPU samples in the trace
    driver: str = ""                                         # what is done to the process from outside
    oldest: int = 22                                         # the oldest Go 1.x that builds the program

    @property
    def quiet(self):
        return not self.faults


HELD = dict(rules=STW, least=35)
AFTER_STOP = ["goroutine-starved", "runqueue-backlog", "proc-idle-with-backlog", "goroutine-stuck-waiting", "outside-program", "stw-frequent"]
NO_PREEMPT = {"GODEBUG": "asyncpreemptoff=1"}


def stuck(mode, function):
    return Case(f"stuck-{mode}", "stuckcall", [Fault("stuck", ["goroutine-stuck-syscall", "proc-syscall-retake", *LOCK], ["main.(*vault).refresh"], ["main.(*vault).use"])],
                mode=mode, procs=(2, 1, 8, 64), beside=LOCK)


FAULTS = [
    Case("wipe", "wipe", [Fault("stw", culprit=["main.main.func1"], **HELD)], procs=(2, 8, 64), beside=AFTER_STOP),
    Case("seal", "seal", [Fault("stw", **HELD)], procs=(8, 2), beside=AFTER_STOP, samples=True),
    Case("compare", "compare", [Fault("stw", culprit=["main.main.func1"], **HELD)], procs=(2, 8), beside=AFTER_STOP, samples=True),
    Case("mirror-stack", "mirror", [Fault("stw", culprit=["main.main.func1"], **HELD)], mode="stack", procs=(2, 8), beside=AFTER_STOP),
    Case("mirror-profile", "mirror", [Fault("stw", culprit=["main.main.func1"], **HELD)], mode="profile", procs=(64, 2), beside=AFTER_STOP),
    Case("tightloop-gc", "tightloop", [Fault("stw", culprit=["main.tend"], **HELD)], mode="gc", procs=(2, 8), env=NO_PREEMPT, beside=AFTER_STOP, samples=True),
    Case("tightloop-silent", "tightloop", [Fault("silent", ["non-preemptible", "goroutine-starved"], ["main.tend"], ["main.attend"], least=40, size=False, either=True)], mode="silent", procs=(1, 2),
         env=NO_PREEMPT, beside=STARVED + LOCK + ["outside-program"]),
    Case("rawcall-gc", "rawcall", [Fault("stw", culprit=["main.(*device).drive"], **HELD)], mode="gc", procs=(2, 8), beside=AFTER_STOP),
    Case("rawcall-wait", "rawcall", [Fault("raw-wait", ["non-preemptible", "goroutine-starved", "proc-syscall-retake", "outside-program"], ["main.(*device).drive"], ["main.react"], least=40, either=True)],
         mode="wait", procs=(1,), beside=STARVED + LOCK),
    Case("heapdump", "heapdump", [Fault("stw-own", ["stw-prolonged"], ["main.main"], least=40)], procs=(2, 8, 64), beside=AFTER_STOP),
    Case("dumpstacks", "dumpstacks", [Fault("stw-own", ["stw-prolonged"], ["main.main"], least=40)], procs=(2, 8), beside=AFTER_STOP),
    Case("statsloop", "statsloop", [Fault("frequent", ["stw-frequent"], ["main.main"], size=False)], procs=(2, 8), beside=AFTER_STOP + STW),
    Case("grind", "grind", [Fault("saturation", STARVED, [], ["main.(*mill).answer"], least=50, share=0.5, cause="saturation")], procs=(2, 1, 8), beside=["outside-program", "proc-idle-with-backlog"], samples=True),
    Case("yields", "yields", [Fault("yields", STARVED, ["main.main"], ["main.listen"], least=35, size=False, either=True, cause="yield-spin")], procs=(2, 1, 8), beside=["outside-program", "netpoll-imbalance"]),
    Case("longcall", "longcall", [Fault("long-runner", ["goroutine-starved", "non-preemptible"], ["main.main"], ["main.handle"], least=50, either=True)], procs=(1,), beside=STARVED + ["outside-program"]),
    Case("forcedgc", "forcedgc", [Fault("forced", ["goroutine-starved", "stw-prolonged", "gc-mark-termination"], [], ["main.pulse"], least=40, share=0.5, cause="gc-workers")], procs=(2, 1, 8),
         env={"GODEBUG": "gcstoptheworld=1"}, beside=STARVED + LOCK + ["stw-frequent", "allocation-starvation", "proc-idle-with-backlog"]),
    Case("burst", "burst", [Fault("backlog", ["runqueue-backlog", "goroutine-starved"], ["main.(*importer).load"], ["main.(*importer).row"], least=100, size=False, either=True)], procs=(2, 1, 8, 64),
         beside=["goroutine-stuck-waiting", "outside-program", "allocation-starvation", "proc-idle-with-backlog"]),
    Case("idleside", "idleside", [Fault("idle", ["proc-idle-with-backlog", "outside-program", "goroutine-starved"], [], ["main.chore"], least=60, share=0.4, either=True)], procs=(4, 8),
         beside=LOCK + ["non-preemptible", "runqueue-backlog", "proc-syscall-retake"], driver="load"),
    Case("retake", "retake", [Fault("retake", ["proc-syscall-retake"], ["main.journal", "main.main"], ["main.acknowledge"], level="note", least=9, either=True)], procs=(1, 2), beside=STARVED + LOCK),
    stuck("pipe", "main.readPipe"), stuck("flock", "main.lockFile"), stuck("nap", "main.sleepInKernel"), stuck("fifo", "main.openFifo"),
    Case("holdlock", "holdlock", [Fault("held", ["goroutine-stuck-waiting", "lock-convoy"], None, ["main.(*registry).lookup"])], procs=(2, 1, 8, 64)),
    Case("turnstile", "turnstile", [Fault("convoy", ["lock-convoy"], ["main.main.func1", "main.spin"], size=False)], procs=(2, 8, 64), beside=["goroutine-stuck-waiting"]),
    Case("orphan", "orphan", [Fault("leak", ["goroutine-leak", "goroutine-stuck-waiting"], ["main.firstOf"], ["main.askShard"], level="note", size=False, either=True)], procs=(2, 64)),
    *[Case(f"counter-{mode}", "counter", [Fault("convoy", ["lock-convoy"], culprit, size=False, cause=cause)], mode=mode, procs=(2, 8, 64), beside=LOCK)
      for mode, cause, culprit in (("sleep", "holder-asleep", None), ("kernel", "holder-in-syscall", None), ("network", "holder-blocked", None),
                                   ("nested", None, ["main.(*desk).shuffle"]), ("places", "holder-asleep", None), ("tokens", "holder-asleep", None),
                                   ("readers", "holder-asleep", None), ("stuck", "holder-blocked", None))],
    Case("counter-compute", "counter", [Fault("convoy", ["lock-convoy"], size=False, cause="holder-computes")], mode="compute", procs=(2, 1), beside=LOCK + STARVED + ["outside-program", "non-preemptible"]),
    *[Case(f"pileup-{mode}", "pileup", [Fault("leak", rules, size=False, either=True)], mode=mode, procs=(2, 8, 64))
      for mode, rules in (("receive", ["goroutine-leak"]), ("select", ["goroutine-leak"]), ("timeout", ["goroutine-leak"]), ("lock", ["goroutine-leak", *LOCK]))],
    Case("embrace", "embrace", [Fault("embrace", ["goroutine-stuck-waiting", "lock-convoy"], None, ["main.audit", "main.transfer"], size=False)], procs=(2, 8)),
    Case("frozen", "frozen", [Fault("frozen", ["outside-program"], [], share=0.3, least=150)], procs=(2, 8), beside=STARVED + ["proc-idle-with-backlog"], never=["non-preemptible"], driver="stop", samples=True),
    Case("squeezed", "frozen", [Fault("squeezed", ["outside-program"], [], size=False)], procs=(2, 8), beside=STARVED + ["proc-idle-with-backlog", "stw-prolonged"], never=["non-preemptible"],
         driver="squeeze", samples=True),
    Case("churn", "churn", [Fault("churn", ["allocation-starvation"], ["main.main.func1"], size=False)], procs=(2, 8),
         beside=AFTER_STOP + STW + ["gc-mark-termination", "lock-convoy"], samples=True),
    Case("pooled", "pooled", [Fault("pool", ["allocation-starvation"], size=False)], procs=(2, 8), beside=AFTER_STOP + STW + ["gc-mark-termination", "lock-convoy", "netpoll-imbalance"]),
    Case("recheck", "recheck", [Fault("gcterm", ["gc-mark-termination"], [], least=25, share=0.4)], procs=(2, 8), env={"GODEBUG": "gccheckmark=1"}, beside=AFTER_STOP + STW),
    *[Case(f"tardy-{mode}", "tardy", [Fault("late", ["gc-mark-termination", "goroutine-starved"], ["main.(*ledger).work"], size=False, level=level)], mode=mode, procs=(2, 8),
           env=NO_PREEMPT if mode == "loop" else {}, beside=AFTER_STOP + STW, samples=mode == "loop") for mode, level in (("copy", "warning"), ("loop", "warning"))],
    *[Case(f"alarms-{mode}", "alarms", [Fault("storm", STARVED, size=False)], mode=mode,
           procs=(2, 8, 1), oldest=9, beside=["outside-program", "proc-idle-with-backlog"]) for mode in ("afterfunc", "tickers", "sleepers")],
    Case("herd-close", "herd", [Fault("herd", STARVED, size=False)], mode="close", procs=(2, 8, 1), oldest=9, beside=["outside-program", "proc-idle-with-backlog"]),
    Case("herd-broadcast", "herd", [Fault("herd", ["lock-convoy"], size=False)], mode="broadcast", procs=(2, 8), oldest=9, beside=STARVED + ["outside-program", "proc-idle-with-backlog"]),
    *[Case(f"permits-{mode}", "permits", [Fault("limit", ["lock-convoy"], culprit, size=False, cause="holder-asleep")], mode=mode, procs=(2, 8, 1), oldest=9)
      for mode, culprit in (("weighted", None), ("conns", None), ("group", ["main.(*group).run.func1"]))],
    *[Case(f"growth-{mode}", "growth", [Fault("growth", ["goroutine-leak"], size=False)], mode=mode, procs=(2, 8, 1), oldest=9)
      for mode in ("body", "ticker", "context", "hedge", "join", "later")],
    Case("growth-read", "growth", [Fault("growth", ["goroutine-leak"], size=False, level="note")], mode="read", procs=(2, 8), oldest=9),
    Case("rationed", "rationed", [Fault("rationed", ["outside-program"], [], size=False)], procs=(2, 4), oldest=14, never=["non-preemptible"], driver="ration",
         beside=STARVED + ["proc-idle-with-backlog", "stw-prolonged"]),
    Case("errands-stop", "errands", [Fault("frozen", ["outside-program"], [], share=0.3, least=60)], procs=(2, 8), oldest=9, never=["non-preemptible", "goroutine-starved"], driver="stop",
         beside=["proc-idle-with-backlog"]),
    Case("errands-ration", "errands", [Fault("rationed", ["outside-program"], [], size=False)], mode="ration", procs=(2, 4), oldest=9, never=["non-preemptible"], driver="ration",
         beside=STARVED + ["proc-idle-with-backlog", "stw-prolonged"]),
    *[Case(f"halt-{mode}", "halt", [Fault("held", STW, ["main.(*engine).heavy", "main.main"], least=35, size=False)], mode=mode, procs=(2, 8), beside=AFTER_STOP + ["gc-mark-termination"])
      for mode in ("copy", "equal", "count")],
    Case("halt-memstats", "halt", [Fault("often", ["stw-frequent"], size=False)], mode="memstats", procs=(2, 8), beside=AFTER_STOP + STW),
    Case("halt-free", "halt", [Fault("often", ["stw-frequent", "goroutine-starved"], size=False, level="note")], mode="free", procs=(2, 8),
         beside=AFTER_STOP + STW + ["gc-mark-termination", "allocation-starvation"]),
    *[Case(f"knots-{mode}", "knots", [Fault("knot", ["lock-convoy"], size=False, cause=cause)], mode=mode, procs=(2, 8, 1), oldest=9, beside=LOCK)
      for mode, cause in (("rwlock", "holder-asleep"), ("once", "holder-asleep"), ("child", None), ("file", "holder-in-syscall"), ("dns", None), ("db", "holder-asleep"))],
    *[Case(f"heapstorm-{mode}", "heapstorm", [Fault("gc", ["allocation-starvation"], size=False)], mode=mode, procs=(2, 8), oldest=9,
           beside=AFTER_STOP + STW + ["gc-mark-termination", "lock-convoy"]) for mode in ("list", "map")],
    *[Case(f"shelf-{mode}", "shelf", [Fault("pool", ["allocation-starvation"], ["main.newScratch"], size=False, cause=cause)], mode=mode, procs=(2, 8), oldest=9,
           beside=AFTER_STOP + STW + ["gc-mark-termination", "lock-convoy"]) for mode, cause in (("grow", None), ("forget", "pool-misuse"), ("state", None))],
    *[Case(f"brake-{mode}", "brake", [Fault("spin", STARVED, ["main.main.func1"], size=False, cause="yield-spin")], mode=mode, procs=(2, 1, 8), oldest=9,
           beside=["outside-program", "proc-idle-with-backlog"]) for mode in ("gosched", "select")],
    *[Case(f"shapes-{mode}", "shapes", [Fault("stw", culprit=["main.(*store).compare", "main.main.func1.1"], size=False, **HELD)], mode=mode, procs=(2, 8), beside=AFTER_STOP)
      for mode in ("methodvalue", "closure", "generic", "deep", "finalizer", "timer", "sort", "once", "reflect", "locked")],
    Case("shapes-inlined", "shapes", [Fault("stw", culprit=["main.(*store).audit", "main.main.func1.1"], size=False, **HELD)], mode="inlined", procs=(2, 8), beside=AFTER_STOP),
    Case("shapes-crowd", "shapes", [Fault("stw", culprit=["main.(*store).compare", "main.main.func11"], size=False, **HELD)], mode="crowd", procs=(2, 8), beside=AFTER_STOP, samples=True),
    *[Case(f"snags-{mode}", "snags", [Fault("convoy", ["lock-convoy"], culprit, size=False, cause="holder-blocked")], mode=mode, procs=(2, 8, 1), beside=LOCK)
      for mode, culprit in (("log", ["main.logHard"]), ("proxy", ["main.(*front).proxy"]))],
    Case("snags-reread", "snags", [Fault("knot", ["goroutine-stuck-waiting", "lock-convoy", "goroutine-leak"], ["main.(*table).outer", "main.(*table).inner"], ["main.(*table).inner"], size=False)],
         mode="reread", procs=(2, 8)),
    Case("snags-signal", "snags", [Fault("leak", ["goroutine-leak"], ["main.(*inbox).take", "main.lostSignal"], size=False)], mode="signal", procs=(2, 8, 1)),
    Case("snags-spin", "snags", [Fault("spin", STARVED, ["main.spinLock", "main.spinner"], size=False, level="note")], mode="spin", procs=(2, 1), beside=["outside-program", "non-preemptible", *LOCK]),
    *[Case(f"snags-{mode}", "snags", [Fault("gc", rules, [who], size=False, level=level)], mode=mode, procs=(2, 8),
           beside=AFTER_STOP + STW + ["gc-mark-termination", "lock-convoy"])
      for mode, rules, who, level in (("collect", ["stw-frequent", "allocation-starvation"], "main.collectEach", "note"),
                                      ("limit", ["allocation-starvation", "stw-frequent"], "main.decode", "warning"))],
    Case("snags-adapt", "snags", [Fault("often", ["stw-frequent"], ["main.adapt"], size=False)], mode="adapt", procs=(2, 8), beside=AFTER_STOP + STW),
    Case("snags-finalizer", "snags", [Fault("finalizer", ["goroutine-stuck-waiting", "goroutine-leak"], ["main.closeSlowly"], size=False, level="note")], mode="finalizer", procs=(2, 8)),
    Case("netburst", "netburst", [Fault("netburst", ["netpoll-imbalance", *STARVED], [], ["main.(*hub).serve"], least=40, size=False, either=True)], procs=(2, 1, 8)),
]

ANY = (2, 8, 64, 1)
FEW = (2, 1)      # those that need the CPU must not ask for more than there are
QUIET = [
    Case("quickstops", "quickstops", procs=ANY), Case("idlepool", "idlepool", procs=ANY), Case("condpool", "idlepool", mode="cond", procs=ANY), Case("longpoll", "longpoll", procs=ANY),
    Case("tickers", "tickers", procs=ANY), Case("fanout", "fanout", procs=ANY), Case("gather", "fanout", mode="gather", procs=ANY), Case("piperead", "piperead", mode="pipe", procs=ANY),
    Case("stdin", "piperead", mode="stdin", procs=ANY), Case("child", "piperead", mode="child", procs=ANY), Case("equals", "equals", procs=FEW), Case("steadygc", "steadygc", procs=(2, 8)),
    Case("weblight", "weblight", procs=ANY), Case("lockedpair", "lockedpair", procs=ANY), Case("alonehash", "alonehash", procs=(2, 8)), Case("patient", "patient", procs=ANY),
    Case("shortlocks", "shortlocks", procs=ANY), Case("clockloop", "clockloop", procs=(2, 8)), Case("pooled-kept", "pooled", mode="kept", procs=(2, 8)), Case("evenload", "evenload", procs=ANY),
    Case("warmup", "warmup", procs=FEW), Case("hellos", "hellos", procs=ANY),
    *[Case(f"orderly-{mode}", "orderly", mode=mode, procs=FEW if mode in ("limited", "busylock") else ANY)
      for mode in ("limited", "roomy", "lockstep", "crawl", "pressure", "cache", "busylock")],
    Case("alarms-spread", "alarms", mode="spread", procs=FEW, oldest=9), Case("herd-few", "herd", mode="few", procs=FEW, oldest=9),
    Case("permits-idle", "permits", mode="idle", procs=ANY, oldest=9), Case("growth-closed", "growth", mode="closed", procs=ANY, oldest=9),
    Case("halt-metrics", "halt", mode="metrics", procs=ANY), Case("halt-rare", "halt", mode="rare", procs=FEW), Case("knots-brisk", "knots", mode="brisk", procs=ANY, oldest=9),
    Case("knots-flight", "knots", mode="flight", procs=ANY, oldest=9), Case("heapstorm-roomy", "heapstorm", mode="roomy", procs=FEW, oldest=9),
    Case("errands-calm", "errands", mode="calm", procs=FEW, oldest=9), Case("shelf-clean", "shelf", mode="clean", procs=ANY, oldest=9), Case("brake-blocked", "brake", mode="blocked", procs=ANY, oldest=9),
    *[Case(f"calm-{mode}", "calm", mode=mode, procs=FEW if mode == "uneven" else ANY)
      for mode in ("backpressure", "limiter", "thread", "buffers", "kept", "polling", "uneven", "snapshot", "pages")],
    *[Case(f"visitors-{mode}", "visitors", mode=mode, procs=ANY) for mode in ("subscribers", "pool", "slowly", "burst")],
]
CASES = FAULTS + QUIET
