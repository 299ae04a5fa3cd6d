/* What the rules and their causes mean, for people. A name that is both has one text. Rules come first, in the order of the pages
 * in docs/rules; causes follow as rules name them. Lines stand as they are printed: at most 92 columns, no indentation. */
#include <stddef.h>
#include <string.h>

#include "stwatch/analysis.h"

typedef struct topic {
	const char *name, *text;
} topic;

static const topic TOPICS[] = {
	/* ---- rules ---- */
	{"stw-prolonged",
		"One stop-the-world took too long. While it lasts, ever fewer goroutines run and in the end\n"
		"none.\n"
		"\n"
		"Measured from STWBegin to STWEnd, against --stw-note, --stw-warn and --stw-error. The range\n"
		"has three parts, and no event marks where one ends: the wait for the scheduler's lock\n"
		"(STWBegin is written before that lock is taken), stopping, and standing. stwatch infers them\n"
		"from when each P stopped or was taken away. Where the one who asks took a P out of a system\n"
		"call, the lock was held by then; else the wait for it can't be told from the stopping. If\n"
		"the last P took half of the range to stop, the culprit is the goroutine that ran there, its\n"
		"share the time since the last but one; else what was done while the world stood is to blame.\n"
		"\n"
		"The sweep termination and the mark termination of a collection are stops, two a cycle. So\n"
		"are ReadMemStats, a goroutine profile, a dump of all stacks, GOMAXPROCS. A CPU profile's\n"
		"signal stops one thread for microseconds, and never the world.\n"
		"\n"
		"Not shown: how long a caller queued for the right to stop the world (it waits before\n"
		"STWBegin, as \"sync\"), the stopping part of \"start trace\", and whether the kernel withheld\n"
		"the CPU. runtime/metrics counts otherwise: /sched/pauses/stopping and /total (since Go 1.22)\n"
		"begin when the lock is held and end before STWEnd is written, so its figures are smaller. Up\n"
		"to Go 1.20 traces show only the collector's stops.\n"
		"\n"
		"To fix: the cause says which. non-preemptible: break up the culprit's work. stop-work: ask\n"
		"for that stop less often, or for something cheaper. Next: is a CPU profile in the trace? Its\n"
		"samples show what the culprit did (leaf); record with one running if not."},
	{"stw-frequent",
		"Stops of the world are short, but there are so many that they cost too much together.\n"
		"\n"
		"Measured over the second before the end of each stop: the P-time lost, that is the sum over\n"
		"all P's of the time from a P's stop to the end of the stop, as a share of what GOMAXPROCS\n"
		"P's have to give in a second. Thresholds: --stw-share-note, --stw-share-warn,\n"
		"--stw-share-error. Their number alone is only worth a note (--stw-rate): fifty stops of 20\n"
		"µs cost a thousandth. The cause is the kind of stop that cost most.\n"
		"\n"
		"A P that was idle loses nothing, so the share falls when a program has little to do. The P\n"
		"of the one who asks is not counted, nor is the cost of getting going again (cold caches,\n"
		"threads to wake).\n"
		"\n"
		"To fix: gc-cycles: allocate less, or raise GOGC or GOMEMLIMIT. requested-stops: find who\n"
		"asks; the evidence has the stack. Usual ones: runtime.ReadMemStats in a metrics loop\n"
		"(runtime/metrics reads the same without a stop), runtime.GC, runtime.Stack for all\n"
		"goroutines, profiles on a timer, GOMAXPROCS set again and again. Since Go 1.25 the runtime\n"
		"itself follows a changing CPU limit of a container with GOMAXPROCS stops, at most one a\n"
		"second. Next: stwatch stat, its table of stops."},
	{"non-preemptible",
		"A goroutine ran on although its P was wanted, because it reached no point where it can be\n"
		"interrupted. A rule of its own, and a cause of a long stop.\n"
		"\n"
		"As a cause: it was the last that a stop had to wait for, and the stop shows that preemption\n"
		"was asked for. As a rule, without a stop: since Go 1.14 a goroutine that computes is asked\n"
		"to yield after 10 ms and does so within another 10. So a run of 25 ms and more without a\n"
		"break, with another goroutine runnable beside it for --nonpreempt-note and no P idle, says\n"
		"that it could not. The run's length counts against --nonpreempt-note, --nonpreempt-warn,\n"
		"--nonpreempt-error. CPU samples in it make it likely; without any in the trace it stays\n"
		"possible, and a note, as do runs below 40 ms, which a late request explains too. If the\n"
		"trace has samples but none here, the CPU was taken\n"
		"away, and nothing is reported. Mark workers of the collector are left out: they work without\n"
		"preemption on purpose.\n"
		"\n"
		"Not interruptible are assembly (copying, clearing, comparing, hashing memory; AES, SHA and\n"
		"other kernels of crypto and math/big), the runtime and reflect, system calls made by\n"
		"syscall.RawSyscall, and everything with GODEBUG=asyncpreemptoff=1. Before Go 1.14: any loop\n"
		"without calls.\n"
		"\n"
		"The stack at the stop shows the first point after the work, so the culprit is the nearest\n"
		"function of the program; what it was really in only CPU samples tell.\n"
		"\n"
		"To fix: work in pieces (copy 1 MiB at a time in a loop: its head is a safe point); use\n"
		"syscall.Syscall instead of RawSyscall for what can block; drop asyncpreemptoff. The runtime\n"
		"clears big new allocations in pieces of 256 KiB itself (those with pointers since Go 1.24);\n"
		"copy, clear and append of big slices run in one go."},
	{"goroutine-starved",
		"A goroutine was ready to run and stood in a queue too long.\n"
		"\n"
		"Measured as time in the state runnable, without what overlaps a stop, against\n"
		"--starved-note, --starved-warn, --starved-error. Goroutines of the runtime are left out.\n"
		"Each wait is split by what the P's did meanwhile, in stretches of 1 ms and more. Waits that\n"
		"are half a stop, half silence of all threads, half beside an idle P, or that had half of the\n"
		"P-time in system calls, are left to the rules for these. Of the rest, the cause is\n"
		"gc-workers where mark workers had 40 % of the P-time, long-runner where runs of 25 ms and\n"
		"more make up 60 % of what ran, yield-spin where Gosched ends most runs; else it is\n"
		"saturation.\n"
		"\n"
		"How loud saturation gets depends on the victim: one that blocks now and then and runs for up\n"
		"to --burst-run in the mean is hurt by 30 ms; equals that all compute share the CPU fairly\n"
		"and get a note.\n"
		"\n"
		"A trace does not say in which queue (a P's own, the global one, or the place for the next to\n"
		"run) a goroutine stood, nor whether it is locked to a thread (LockOSThread) and had to wait\n"
		"for just that one. Waiting for a lock or a channel is no starvation and counts elsewhere\n"
		"(goroutine-stuck-waiting).\n"
		"\n"
		"To fix: see the cause. Next: stwatch stat, percentiles of scheduling latency and what the\n"
		"P's did. In production /sched/latencies:seconds (runtime/metrics, since Go 1.17) watches the\n"
		"same."},
	{"runqueue-backlog",
		"Runnable goroutines pile up faster than they are run.\n"
		"\n"
		"Measured as the number of goroutines that are runnable at one time: never below\n"
		"--backlog-length (or --backlog-factor times GOMAXPROCS, if that is less) for\n"
		"--backlog-rounds stretches of 10 ms, with at least one goroutine that waited for\n"
		"--backlog-age. A burst that only shrinks and is gone within --backlog-warn is left out: a\n"
		"thousand goroutines started at once and gone 50 ms later are an ordinary fan-out. If more\n"
		"than --backlog-length were runnable, its duration makes it a warning (--backlog-warn) or an\n"
		"error (--backlog-error); else it is a note.\n"
		"\n"
		"The trace has no lengths of queues; the sum over all queues follows from the transitions,\n"
		"their distribution does not. GODEBUG=schedtrace=1000 prints it for a live process.\n"
		"\n"
		"To fix: burst: bound how many goroutines are started at once (a semaphore, a worker pool,\n"
		"errgroup's SetLimit). saturation: there is more work than CPU; shed load or add processors.\n"
		"yield-spin: goroutines that give way in a loop are always runnable; let them block.\n"
		"Next: whether GOMAXPROCS fits the CPU quota: before Go 1.25 the runtime ignores cgroup\n"
		"limits."},
	{"proc-idle-with-backlog",
		"P's stood idle while goroutines that they could have run were waiting.\n"
		"\n"
		"Measured as time in which a P below GOMAXPROCS is idle, for 1 ms and more at a stretch,\n"
		"while a goroutine is runnable, less what overlaps stops, against --idle-note, --idle-warn,\n"
		"--idle-error. Goroutines of the runtime, and waits in which the whole process was silent,\n"
		"are left out. That most P's are idle most of the time is no fault in itself; from\n"
		"--idle-share on it is mentioned with the finding. Whether the goroutine was locked to a\n"
		"thread, and had to wait for just that one, is not in the trace.\n"
		"\n"
		"The runtime wakes a thread whenever work appears and a P is idle, unless one is already\n"
		"looking for work. So the gap is mostly the time the kernel takes to run the woken thread.\n"
		"The trace can't show the kernel; if wake-ups are late on all P's alike, look there.\n"
		"\n"
		"To fix: is the CPU quota used up, are neighbours busy, is the process pinned to few CPUs?\n"
		"Then GOMAXPROCS is too high for what the kernel grants. On an idle machine: power saving of\n"
		"the CPU. Next: /sys/fs/cgroup/cpu.stat (nr_throttled), perf sched, the finding\n"
		"outside-program."},
	{"goroutine-stuck-waiting",
		"One goroutine waited for a lock far longer than locks are meant to be held, or waited for\n"
		"something and was never heard of again.\n"
		"\n"
		"held-lock: waits for a sync.Mutex, sync.RWMutex or a file's own lock, against --wait-note,\n"
		"--wait-warn and --wait-error. The culprit is the function that held it for most of the time,\n"
		"as the hand-overs show. never-woken: a wait that began in the trace and is open at its end, for\n"
		"--stuck-open and a quarter of the trace at least, of a goroutine that had hardly blocked\n"
		"before; on a channel, select, lock or condition, but not a WaitGroup. Sleep and network are\n"
		"how goroutines rest, and don't count. It is never more than a note. blocked-finalizer: what\n"
		"a finalizer or cleanup runs waited for --wait-warn or more; a note.\n"
		"\n"
		"A wait that is still open when the trace ends is longer than what is seen, how much is\n"
		"unknown. An orphan and an idle worker look alike: \"possible\". Only a nil channel or an empty\n"
		"select is certain. The runtime only finds deadlocks of the whole program.\n"
		"\n"
		"To fix: look at the culprit: who held the lock, and what that goroutine was waiting for.\n"
		"Keep no lock over input, output or a channel operation; give waits an end (context,\n"
		"time.After, select). Next: the mutex and block profiles; a goroutine dump shows who sits\n"
		"there now. Since Go 1.22 the mutex profile counts by how many goroutines waited; since Go\n"
		"1.26 a profile of leaked goroutines is there as an experiment\n"
		"(GOEXPERIMENT=goroutineleakprofile)."},
	{"netpoll-imbalance",
		"Goroutines that the network had woken stood in the queues for long: many connections became\n"
		"ready at once, a poll handed them all out, and they waited for each other.\n"
		"\n"
		"Measured from the wake-up by a poll (GoUnblock without a goroutine, of one that waited for\n"
		"the network) to the start, less stops. The 99th percentile of a second counts against\n"
		"--netpoll-note, --netpoll-warn and --netpoll-error, if it has 50 wake-ups or more. Waits\n"
		"beside an idle P, in a silence of the whole process, or while other goroutines had the P's\n"
		"are left to the rules for these. stwatch stat has mean and percentiles of all wake-ups, and\n"
		"how many each P handed out.\n"
		"\n"
		"When a packet came is not in the trace: the kernel's readiness shows only when a poll finds\n"
		"it. One poller at a time is how the runtime works: a P polls when it has nothing to run, so\n"
		"that one P hands out most wake-ups, and others none, is no fault. Wake-ups without a P come\n"
		"from sysmon, which polls when nobody has for 10 ms: then they were late before they show.\n"
		"\n"
		"To fix: what one message costs, times how many come at once, is what the last one waits.\n"
		"Make that work cheaper, spread the senders, add CPUs. Next: a CPU profile of the culprit;\n"
		"runqueue-backlog shows the same pile from the other side."},
	{"lock-convoy",
		"Many goroutines queue for one lock, behind one holder or a line of them.\n"
		"\n"
		"Measured from waits of 1 ms and more for a sync.Mutex, a sync.RWMutex or a file's own lock.\n"
		"A lock has no name in a trace: waits belong to one queue where one that had waited woke the\n"
		"next, or one goroutine woke several. Where --convoy-waiters wait at one time, the longest\n"
		"wait (less stops of the world and silence of the whole process) counts against\n"
		"--convoy-note, --convoy-warn and --convoy-error. With fewer it is goroutine-stuck-waiting.\n"
		"\n"
		"The holder is who woke the next one, from the hand-over before until then: so blame goes\n"
		"through the line to whoever kept it, not to the last who waited. The culprit is the function\n"
		"behind most of the waiting. What it did while it held the lock (waits, system calls,\n"
		"running, standing runnable) is the cause. Where the trace ends before the lock is free, the\n"
		"holder is who got it last and has been blocked since; else the only goroutine that is\n"
		"blocked further on in the function that takes it (\"possible\").\n"
		"\n"
		"A channel is a lock too where those who wake had waited at the same spot themselves, one for\n"
		"one: a semaphore. It gets no louder than a warning, and only a note if its holders compute:\n"
		"that is what a limit is for.\n"
		"\n"
		"Below a wait of 1 ms a mutex goes to whoever comes first, then the hand-over does not tell\n"
		"all holders. Which lock it is, and locks that nobody waited for, are not in a trace.\n"
		"\n"
		"A goroutine dump shows the lock's address and where everybody stands. Beside a trace it\n"
		"becomes evidence; alone, --convoy-waiters at one lock are a note, a warning if who holds it\n"
		"is likely and waits for another goroutine, and by their minutes where those are printed.\n"
		"\n"
		"To fix: see the cause. Next: the mutex profile; stwatch events --goroutine of the holder."},
	{"goroutine-leak",
		"Goroutines block at one spot and stay there, or never end, and more and more of them come.\n"
		"\n"
		"Counted are goroutines that were made within the trace and are blocked at its end for\n"
		"--leak-age, and three times as long as any that got away from the same spot. There must be\n"
		"more and more of them: in at least half of eight equal parts of the time since the first, in\n"
		"the later half too, and no more than six of ten in one part; a burst that waits for its turn\n"
		"is none. The number counts against --leak-note, --leak-warn and --leak-error.\n"
		"\n"
		"To send, or to want a lock, is something one does to go on. To receive or to select is what\n"
		"idle workers do too: \"possible\", never an error, and only a note where others got away from\n"
		"there. System calls are left out, and so is a queue behind a lock that lock-convoy tells of.\n"
		"Those that sleep, wait for the network or are woken by timers only count from when they were\n"
		"made, if most that were made at that line live on: \"possible\", the network's a note.\n"
		"\n"
		"A wait that is open when the trace ends may still end: a trace of seconds can't tell never\n"
		"from later. Goroutines that were there before the trace are not counted.\n"
		"\n"
		"A goroutine dump shows no growth, but all that are there and their minutes. Counted are\n"
		"those that stand at one spot for a minute; without minutes it is a note. What an idle worker\n"
		"does too is a note, from --leak-error on a warning if few connections are open beside it.\n"
		"GODEBUG=schedtrace=1000,scheddetail=1 counts goroutines by what they wait for: more and more\n"
		"in ten samples at least, all along and to the end; where they stand it does not tell.\n"
		"\n"
		"To fix: let them end. Next: two goroutine profiles some minutes apart; since Go 1.26 a\n"
		"profile of leaked goroutines is there as an experiment (GOEXPERIMENT=goroutineleakprofile)."},
	{"deadlock",
		"Goroutines wait for each other and can never go on; or the runtime itself says that all\n"
		"sleep.\n"
		"\n"
		"Read from goroutine dumps and from what a dying program prints. That all goroutines are\n"
		"asleep is certain: the runtime counted them. A circle of locks is concluded: a dump shows\n"
		"who waits for which lock (by the address that Lock was called with, where it is printed),\n"
		"but not who holds one. Whoever stands in the function in which others wait for the lock, on\n"
		"the same object and further down, has taken it; weaker signs are a method of the object to\n"
		"which the lock belongs, and the object among the arguments. A circle with a weak sign in it\n"
		"is told only if all in it have waited for a minute or the runtime says that all sleep.\n"
		"\n"
		"Arguments are printed by Go for calls that were not inlined; a question mark after one means\n"
		"that it may be stale, and then it is not used. GOTRACEBACK=system shows channels too.\n"
		"\n"
		"To fix: take locks in one order everywhere. Next: GODEBUG or go vet do not find this; the\n"
		"mutex profile shows the locks that are fought for; go test -race finds some."},
	{"goroutine-stuck-syscall",
		"A system call kept a goroutine, or the P under it, too long.\n"
		"\n"
		"Measured from GoSyscallBegin to its end, from --syscall-note on. It is a warning or an error\n"
		"by how long somebody waited for a lock that came free by its return (--syscall-warn,\n"
		"--syscall-error). Waiting for a child, standard input or a lock file without harm to anybody\n"
		"is healthy, and a note. Goroutines of the standard library's own (signals) are left out.\n"
		"Calls into C count as system calls: the runtime sees no difference.\n"
		"\n"
		"A call that outlasts the runtime's patience loses its P (ProcSteal) and ends in\n"
		"GoSyscallEndBlocked; then the goroutine has to queue for a P. Which call it was only the\n"
		"stack says. syscall.RawSyscall never shows: to the scheduler it is a goroutine that computes\n"
		"(non-preemptible). Files on disk block here, sockets and pipes mostly wait as \"network\".\n"
		"\n"
		"To fix: bound the call (SetDeadline on what can be polled, a timeout in C code), do it\n"
		"outside of locks, limit how many goroutines may do it at once: each one takes a thread.\n"
		"Next: strace -T -p, the disk's latency, a name server, a network file system."},
	{"proc-syscall-retake",
		"P's were kept by system calls while goroutines waited, until the runtime took them back.\n"
		"\n"
		"Measured on goroutines that stood runnable with no P idle beside them for 1 ms: the longest\n"
		"time in which one P was in a system call meanwhile, if that is half of the wait or more,\n"
		"against --retake-note, --retake-warn, --retake-error. Time without anybody waiting does not\n"
		"count.\n"
		"\n"
		"A goroutine keeps its P through a system call, for most are short. A thread of the runtime,\n"
		"sysmon, takes it away when it finds it in the same call twice: after 20 µs at best, 10 ms\n"
		"when its rounds have become rare. It also waits 10 ms on purpose when the P's own queue is\n"
		"empty and another P is idle or looking for work. Until Go 1.25 such a P is in a status of\n"
		"its own, since 1.26 the runtime calls it running; the trace looks the same.\n"
		"\n"
		"To fix: fewer goroutines in blocking calls at one time, a few more P's (GOMAXPROCS) where\n"
		"the work is mostly calls of 20 µs to 10 ms, asynchronous interfaces. Next:\n"
		"goroutine-stuck-syscall names the calls that lasted."},
	{"outside-program",
		"The program wanted to run and was kept from it by something outside: the kernel's scheduler,\n"
		"a CPU quota, a signal, a neighbour on the machine.\n"
		"\n"
		"Measured from what is missing. process-stopped, against --outside-note, --outside-warn,\n"
		"--outside-error: no thread writes an event for 25 ms and more although several P's run\n"
		"goroutines, and no CPU sample falls into it; with one P only if the trace has samples\n"
		"elsewhere, and from 40 ms on; or although timers of three goroutines and more should have\n"
		"gone off in it and a P was there to see to them: that shows a process stopped while idle\n"
		"too. Where most silences end 100 ms apart, or a multiple of it, it is a CPU quota. cpu-taken:\n"
		"CPU samples cover less than 60 % of the time that P's ran goroutines, long runs left out: a\n"
		"note, below 40 % a warning.\n"
		"\n"
		"The trace has no kernel events, so this is inferred, never certain; without a CPU profile in\n"
		"the trace, or timers, one P alone can't be told from code without preemption points.\n"
		"cpu-taken takes for granted that the profile ran all the time, at its usual 100 samples a\n"
		"second.\n"
		"\n"
		"To fix: compare cpu.stat of the cgroup (nr_throttled, throttled_usec) before and after;\n"
		"raise the quota or lower GOMAXPROCS to it (done by itself since Go 1.25, not for shares).\n"
		"Look at steal time (vmstat, column st), at swapping, at suspended machines. Next: perf sched\n"
		"timehist, or record with a CPU profile running."},
	{"allocation-starvation",
		"The program allocates so much that its goroutines work for the collector instead of for\n"
		"themselves, or spends itself on short-lived goroutines and garbage.\n"
		"\n"
		"Measured over any five seconds (or the whole trace). It is a warning where marking takes\n"
		"--alloc-mark-warn of the time, less stops, and assists take --alloc-assist-warn of the time\n"
		"that goroutines ran; or where assists alone take --alloc-debt-warn, with --alloc-debt-mark\n"
		"of marking; or at --alloc-cycles collections and --alloc-goroutines new goroutines a second.\n"
		"It is an error from --alloc-mark-error with --alloc-assist-error on, or with assists from\n"
		"--alloc-debt-error on. An assist counts as far as its goroutine was running. Idle mark\n"
		"workers are left out: they take what nobody wants. So are fewer than three collections, and\n"
		"a heap that only fills up: a cache that warms up collects each time that it has doubled.\n"
		"\n"
		"Who allocates follows from the stacks of assists and of the allocations at which a\n"
		"collection began: both come in proportion to the bytes. What is allocated only a heap\n"
		"profile tells. Whether a pool's objects are put back is not in a trace either.\n"
		"\n"
		"To fix: see the cause. Healthy programs were measured at assists of 4.8 %, 21 collections\n"
		"and 1,800 new goroutines a second. GOMEMLIMIT is there since Go 1.19, a pacer that keeps\n"
		"assists low since 1.18, cheaper marking of small objects (Green Tea) since 1.26. Next: a\n"
		"heap profile (allocs), GODEBUG=gctrace=1, stwatch stat."},
	{"gc-mark-termination",
		"A collection's own stop took long for what the collector did in it, not because somebody\n"
		"kept the world waiting (that is stw-prolonged).\n"
		"\n"
		"Measured as the time that the world stood in a sweep termination (the begin of a collection)\n"
		"or mark termination (its end), where that is half of the stop or more, against\n"
		"--gc-term-note, --gc-term-warn and --gc-term-error. When it stood is inferred from the P's\n"
		"last stops. One long stop may be the kernel's doing: without CPU samples that show the work,\n"
		"the second longest of the trace decides how loud it is, up to the thresholds of\n"
		"stw-prolonged.\n"
		"\n"
		"Both are stops of the world: marking itself runs beside the program since Go 1.5. The\n"
		"evidence tells who worked (a mark worker, an assist, an allocation), and which P was last to\n"
		"stop. What of the work took long only CPU samples show.\n"
		"\n"
		"late-goroutine: marking can't end before every goroutine has stopped for its stack to be\n"
		"scanned, and every P has passed a safe point. No event tells, but mark termination is asked\n"
		"for at once when the last one has come: the culprit ran on past all patience and gave way\n"
		"within 2 ms before. How long others waited for the collector meanwhile makes it a warning or\n"
		"an error.\n"
		"\n"
		"To fix: GODEBUG=gccheckmark=1 marks everything again while the world stands; drop it.\n"
		"Collections back to back leave more to sweep at the next begin: raise GOGC, don't call\n"
		"runtime.GC. Very many P's, spans or pools add to both. Up to Go 1.7 mark termination scanned\n"
		"all stacks again; later versions need well below a millisecond. Next: GODEBUG=gctrace=1,\n"
		"whose first and last clock figures are these two stops."},
	{"illegal-transition",
		"The trace shows a goroutine or a P doing what the runtime forbids, such as starting without\n"
		"having been runnable.\n"
		"\n"
		"Checked on every event: sequence numbers, the status before and after, ranges that begin and\n"
		"end, tasks. The rules are those that Go's own reader applies; where it gives up, stwatch\n"
		"reports the place and goes on with the next generation. Any occurrence is a warning; there\n"
		"is no threshold.\n"
		"\n"
		"Nearly always the file is at fault (cut, damaged, two recordings in one, written by a faulty\n"
		"tool) or a fault of the tracer in one Go release. A real scheduler bug or memory corruption\n"
		"is possible but rare. One fault costs its generation: what follows in it can't be trusted.\n"
		"\n"
		"To fix: record again; try the newest patch release of the Go version; run the program with\n"
		"-race and without unsafe and cgo. If it persists with a whole file, it is worth an issue\n"
		"with Go. Next: stwatch events up to the time shown; the exit code is 4, for the input is\n"
		"damaged."},
	{"coupling-violation",
		"Thread, P and goroutine contradict each other: an event needs a P that its thread does not\n"
		"have, a goroutine runs on two threads, a P is started that belongs to somebody.\n"
		"\n"
		"Checked on every event: a thread has at most one P and one goroutine, a P one thread, a\n"
		"running goroutine has both; only in a system call may the P be missing. The rules are those\n"
		"of Go's own reader. Any occurrence is a warning; there is no threshold.\n"
		"\n"
		"As with illegal-transition the file or the tracer is to blame nearly always. Parts of a\n"
		"trace put together in the wrong order look just like this, and so does a trace whose\n"
		"beginning is missing.\n"
		"\n"
		"To fix: record again, check how the file was stored and joined. Next: stwatch events up to\n"
		"the time shown, with --thread and --proc; the exit code is 4, for the input is damaged."},

	/* ---- causes ---- */
	{"no-preemption-point",
		"The goroutine was in code that can't be interrupted: assembly that copies, clears, compares\n"
		"or hashes memory, the runtime itself, a raw system call, or anything under\n"
		"asyncpreemptoff=1. The signal came, found no safe point and was sent again, every 100 µs\n"
		"during a stop. Split the work into pieces of about a megabyte. See non-preemptible."},
	{"hot-clock",
		"The goroutine reads the clock in a tight loop: at least half of its CPU samples are there,\n"
		"and four at least. time.Now runs mostly in assembly and kernel-mapped code where it can't be\n"
		"interrupted, so most signals miss; one hits after a few tries. That takes some milliseconds\n"
		"at worst; tens of them mean that something else was added to it. Read the clock every so\n"
		"many rounds, or sleep instead of polling."},
	{"stop-work",
		"The world stopped promptly; what then ran while it stood took long. A heap dump, the stacks\n"
		"of all goroutines (runtime.Stack with all set, the goroutine profile with debug=2), very\n"
		"many goroutines or P's, a forced collection with gcstoptheworld. Ask for it less often, or\n"
		"take what does not stop: runtime/metrics for ReadMemStats; the goroutine profile in binary\n"
		"form stops the world only briefly since Go 1.19."},
	{"world-lock",
		"The time went before any P was asked to stop: the one who stops the world waited for the\n"
		"scheduler's lock, or its own thread did not run. With very many threads and P's the lock is\n"
		"contended; else the kernel is the suspect. The trace shows it only where a P is taken late\n"
		"out of a system call, so this version leaves such stops under \"unknown\". Look at\n"
		"outside-program and at the number of threads (stwatch stat)."},
	{"unknown",
		"The evidence names no cause. The input can't tell, or what would tell contradicts itself;\n"
		"limits says what this trace lacks. A CPU profile running during the recording (its samples\n"
		"then stand in the trace) settles most of these cases. For a long stop: nobody in the program\n"
		"is shown to have kept the last P."},
	{"gc-cycles",
		"The stops are those of garbage collections: two or more a cycle, sweep termination and mark\n"
		"termination. So the number of cycles is what to lower: allocate less, reuse buffers, raise\n"
		"GOGC, or set GOMEMLIMIT and GOGC=off where memory is known. A live heap below 4 MB makes\n"
		"cycles very frequent: GOGC then works against the minimum heap."},
	{"requested-stops",
		"The stops were asked for by the program or a library: ReadMemStats, profiles, runtime.GC,\n"
		"stack dumps, GOMAXPROCS. The evidence shows the stacks. Metrics libraries that call\n"
		"ReadMemStats at every scrape are the usual case: use their collector on runtime/metrics\n"
		"instead."},
	{"saturation",
		"All P's were busy with the program's own goroutines: there was more work than CPU. Where one\n"
		"function had 30 % of what ran, it is named. If the process has its full CPU share, make the\n"
		"work cheaper, do less at a time or add processors. Check that GOMAXPROCS is not below the\n"
		"CPUs available, nor above the quota. Latency-critical goroutines get no priority in Go; a\n"
		"process of their own or a limit on batch work helps."},
	{"long-runner",
		"A few goroutines held the P's in long stretches while this one waited, longer than fair\n"
		"queueing explains. A goroutine that computes is interrupted after 10 ms at best, and those\n"
		"it woke itself share its slice. Split the work, or call runtime.Gosched at places where it\n"
		"is cheap. On one P (GOMAXPROCS=1) a single one suffices. If it can't be interrupted:\n"
		"non-preemptible."},
	{"yield-spin",
		"Goroutines call runtime.Gosched in a loop and keep the P's busy with coming and going. Each\n"
		"yield puts them at the end of the global queue, which is looked at every 61st time only\n"
		"while a P's own queue has work. Wait on a channel, a sync.Cond or a timer instead of\n"
		"polling; a spin that must be should end after a few rounds. A long series of very short runs\n"
		"is the sign."},
	{"late-wakeup",
		"A P was idle beside the waiting goroutine: a thread had been woken, or should have been, and\n"
		"came late. The kernel took its time (busy CPUs, quota, power saving), the one that was\n"
		"looking for work was held up itself, or the goroutine is locked to a thread. If it coincides\n"
		"with outside-program, begin there."},
	{"late-retake",
		"A P was tied up in a system call while a goroutine waited for it, and the runtime took it\n"
		"back only after its patience ended: 20 µs at best, 10 ms and more at worst. See\n"
		"proc-syscall-retake and the call in the evidence."},
	{"stop",
		"Most of a goroutine's wait to run fell into a stop of the world. It is a victim of\n"
		"stw-prolonged or stw-frequent, and counted there."},
	{"gc-workers",
		"Mark workers of the collector had the P's. Dedicated and fractional workers take a quarter\n"
		"of them together; idle workers take those that have nothing to do and give way. With few P's\n"
		"a quarter is felt most. With GODEBUG=gcstoptheworld=1 a collection takes them all until it\n"
		"is done. Fewer cycles, or a smaller heap of pointers to scan, lower it."},
	{"outside",
		"A goroutine waited to run while all threads were silent, or while the thread of a P looked\n"
		"for work and did not find it: one that executes finds it within microseconds. Something\n"
		"outside of the program had the CPU; silences are counted under outside-program."},
	{"late-goroutine",
		"The end of marking waited for a goroutine that ran on: the collector stops each one for its\n"
		"stack, and each P to see that no work is left, before it may stop the world for mark\n"
		"termination. Named is the one that gave way right before that. Which of the two waited for\n"
		"it, and since when, is not in a trace. As for non-preemptible: split the work, or keep long\n"
		"copies, comparisons and assembly off the paths where latency counts."},
	{"blocked-finalizer",
		"The goroutine that runs finalizers waits within one of them. There is only one: all others\n"
		"are queued behind it, and what they hold is not freed. A finalizer must not block; let it\n"
		"start a goroutine, or free the resource by a Close that is called."},
	{"burst",
		"Most of those that waited long were created by one function, which is named: a loop around a\n"
		"go statement. They queue behind each other and delay everybody else. Bound the number that\n"
		"run at once with a worker pool or a semaphore."},
	{"all-asleep",
		"The runtime found that no goroutine can go on, and ended the program. Named is one that\n"
		"wants a lock or a partner, rather than those that wait for others to finish. Look who was to\n"
		"wake it: a sender that never came, a channel that nobody closes, a Done that is missing."},
	{"lock-cycle",
		"Each of them holds a lock for which the next one waits. Take locks in one order everywhere\n"
		"(by address, by name, by level), or hold one at a time."},
	{"locked-twice",
		"A goroutine waits for a lock that it holds itself. Go's mutexes don't know their holders, so\n"
		"it waits for good. Split the inner function: one that locks, one that expects it locked."},
	{"holder-blocked",
		"Whoever held the lock waited for something itself most of the time: a channel, a condition,\n"
		"a wait group, the network or another lock. The evidence has the place, and who let it go on.\n"
		"Everybody in the queue waits for that too."},
	{"holder-asleep",
		"Whoever held the lock slept most of the time (time.Sleep, or a timer behind it): often a\n"
		"retry with a pause, or a rate limit inside the lock."},
	{"holder-in-syscall",
		"Whoever held the lock was in a system call or in C most of the time. The stack names the\n"
		"call: a write to a slow log, a file, a pipe, a name lookup."},
	{"holder-computes", "Whoever held the lock ran most of the time. CPU samples or a CPU profile show at what."},
	{"holder-runnable",
		"Whoever held the lock was ready to run and got no P most of the time: the machine, or the\n"
		"program itself, was busy with others. See goroutine-starved and outside-program."},
	{"holder-assists-gc",
		"Whoever held the lock was made to help or to wait for the collector most of the time,\n"
		"because it allocated. See stwatch stat for the collector's share."},
	{"many-holders",
		"No hold was long, but so many came one after another that the queue moves slowly. The lock\n"
		"is the bottleneck for all that is done under it."},
	{"blocked-send",
		"They send on a channel from which nobody receives any more: the receiver has returned (a\n"
		"timeout, the first answer taken, an error), and the channel has no room. A buffer for every\n"
		"sender, or a select with the context that ends the receiver."},
	{"blocked-receive",
		"They receive from a channel on which nobody sends and that nobody closes. Idle workers look\n"
		"the same, but their number does not grow. Close the channel when the last sender is done."},
	{"blocked-select",
		"They wait in a select of which no case comes about. Usual: a context that nobody cancels, a\n"
		"done channel that nobody closes, a listener per request that outlives the request."},
	{"blocked-condition",
		"They wait for a sync.Cond that nobody signals for them. Broadcast where the state may let\n"
		"several go on."},
	{"blocked-forever",
		"They wait on a nil channel or in an empty select: nothing can ever wake them, and the\n"
		"garbage collector does not free them."},
	{"blocked-lock",
		"They wait for a lock or a wait group that nobody releases: its holder is gone without Unlock\n"
		"or Done, or is stuck itself. A goroutine dump shows who else is inside."},
	{"unclosed-body",
		"A client's connection waits for the body of an answer to be read to its end or closed: until\n"
		"then its two goroutines stay, and the connection can't be used again. The culprit is who\n"
		"sent the request. Close the body on every path (defer resp.Body.Close()), and read it first\n"
		"if the connection is to be kept."},
	{"never-ends",
		"Ever more goroutines of one function live on, woken by nobody but the clock or the network: a\n"
		"ticker in a loop without an end, a long sleep, a read without a deadline. Where each belongs\n"
		"to a client or a tenant they may be meant to stay: then their number should stop growing.\n"
		"Give the loop a context or a channel that is closed, and reads a deadline."},
	{"held-lock",
		"The goroutine waited for a mutex. The culprit is the function that had the lock for most of\n"
		"that time: who woke the next one has held it since it was handed on before. The evidence\n"
		"says what it did meanwhile. Shorten what is done under the lock; take no second lock, call\n"
		"or channel operation inside. Where five and more wait at one time it is a lock-convoy."},
	{"slow-waker",
		"The goroutine waited for another to send, receive, signal or finish, and that one was late\n"
		"because it computed, waited or was in a system call itself. This version reports such waits\n"
		"only for locks (held-lock) and system calls (goroutine-stuck-syscall); stwatch events\n"
		"--goroutine shows who woke whom."},
	{"never-released",
		"A mutex was still waited for when the trace ended, and nobody was seen to release it. Either two\n"
		"or more goroutines wait for each other's locks, or the holder is stuck somewhere itself: in a\n"
		"channel operation, a system call, a lock of its own. The trace does not say who holds a lock\n"
		"that is never passed on, so the waiter is named. A goroutine dump (SIGQUIT,\n"
		"/debug/pprof/goroutine?debug=2) shows the stacks of both sides. Take locks in one order\n"
		"everywhere; block on nothing else while holding one."},
	{"never-woken",
		"The wait was still open when the recording ended, and the goroutine was not woken once since\n"
		"it began: a channel without a partner, a lock whose holder waits in turn, an idle worker.\n"
		"How long it goes on is unknown; a second recording, or a goroutine dump later on, tells\n"
		"leaks from long waits."},
	{"blocking-call",
		"The system call simply took that long: a disk, a lock file, a pipe, a name lookup through C,\n"
		"a device. The stack names the call. Only the kernel knows what it was waiting for: strace\n"
		"-T, perf trace, or /proc/PID/stack while it lasts."},
	{"thread-growth",
		"Each thread that is in a system call or in C without a P leaves the procs to others, so the\n"
		"runtime starts new threads, and keeps them. More and more of them mean calls that don't come\n"
		"back, or come back more slowly than new ones are made: files on a slow disk, pipes, locks in\n"
		"C, name lookups through C. At 10000 threads the program is ended (debug.SetMaxThreads).\n"
		"GODEBUG output has no stacks: a goroutine dump shows who stands in \"syscall\"."},
	{"never-returned",
		"The goroutine was in its system call when the recording began or went into it later, and was\n"
		"still there at the end. Dedicated readers of a terminal or device look just so, and are\n"
		"healthy unless somebody waits for them."},
	{"process-stopped",
		"Every thread fell silent together although P's were running: the process got a SIGSTOP (or a\n"
		"debugger), its cgroup ran out of quota or was frozen, or the whole machine stood (suspended,\n"
		"migrated, swapping). Regular gaps of up to 100 ms are the mark of a CPU quota."},
	{"cpu-taken",
		"CPU samples account for less than the time that P's ran goroutines, although a sample is due\n"
		"each 10 ms of CPU time. More runnable threads than CPUs, a neighbour, a quota, or steal time\n"
		"of the virtual machine. GOMAXPROCS above the CPUs granted makes it worse. A profile that ran\n"
		"for a part of the trace only looks the same. Without samples: goroutines of several functions\n"
		"seem to have run on for 40 ms and more, which code that can't be preempted doesn't explain."},
	{"tight-heap-goal",
		"The next collection begins when the heap has hardly grown: the goal is less than a third\n"
		"above what the last one left. A low GOGC does that, or a GOMEMLIMIT that the live heap\n"
		"reaches: then the collector runs without pause, up to half of the CPU. Raise GOGC, or give\n"
		"the limit room above the live heap. The evidence has live heap, goal and size."},
	{"allocation",
		"Goroutines allocate faster than mark workers mark, and have to help (assists). The function\n"
		"named has most of the assists' time and of the allocations at which collections began.\n"
		"Allocate less there: reuse buffers, give slices their size, avoid pointers in what is\n"
		"allocated often. Or collect less often: GOGC, GOMEMLIMIT."},
	{"pool-misuse",
		"Collections begin in allocations of a sync.Pool's New: its Get finds nothing. Objects are not\n"
		"put back on every path, or carry state and grow until they are thrown away, or each second\n"
		"collection (each one before Go 1.13) empties the pool before it is used again. A trace shows\n"
		"no Put, so which of these it is stays possible. Put clean objects of the usual size back\n"
		"(defer it), drop those that grew; a pool is of no use for what is needed once per second."},
	{"goroutine-churn",
		"Thousands of goroutines a second are started for little work each, and the garbage that they\n"
		"leave keeps the collector busy. Stacks are reused, but each goroutine costs a start, an end,\n"
		"and what its closure captures. A fixed set of workers fed by a channel, or doing the parts in\n"
		"one goroutine, costs less."},
	{"requested-gc",
		"More than half of the collections were asked for: runtime.GC, debug.FreeOSMemory or a change\n"
		"of GOGC. The evidence has the stack. The collector decides better when to run; drop the call,\n"
		"or keep it to tests and to idle times. gctrace marks such collections (forced): ten or more of\n"
		"them, one after another for a second, that take 5 % of the time; it does not tell who asks."},
	{"sweep-termination",
		"The stop with which a collection begins. What the last one left unswept is swept first, all\n"
		"sync.Pools are emptied, then marking is switched on. See gc-mark-termination."},
	{"mark-termination",
		"The stop with which a collection ends. Marking is switched off, caches are flushed, the next\n"
		"goal is computed, sweeping begins. See gc-mark-termination."},
	{"readiness-burst",
		"Many connections became ready within a millisecond, and their goroutines queued behind each\n"
		"other. The culprit is what they do when they run, where it had 30 % of the P's time at\n"
		"least. See netpoll-imbalance."},
	{"stop-kinds",
		"The kinds of stops of the world, as the runtime words them, whose they are, and what they are\n"
		"for. A stop without a kind (to Go 1.9) is told by its neighbours: the first that a goroutine\n"
		"asks for after it began a collection is the sweep termination, the one in which a collection\n"
		"ends the mark termination; else nobody knows. That a collection is in progress does not make\n"
		"a stop the collector's: stwatch stat counts such stops apart (in GC). The signal of a CPU\n"
		"profile stops one thread for microseconds and never the world: it is no stop.\n"
		"\n"
#define STW_STOP(kind, class, what) kind " (" STW_STOP_WORD_##class "): " what ".\n"
#define STW_STOP_WORD_GC "the collector's"
#define STW_STOP_WORD_REQUESTED "asked for"
#define STW_STOP_WORD_TRACER "the tracer's"
#include "model/stops.def"
		"\n"
		"See stw-prolonged, stw-frequent, gc-mark-termination."},
	{"status-mismatch",
		"A goroutine, P or range was in another state than the event takes for granted, such as\n"
		"blocking without running, or a collection that ends without having begun. The evidence has\n"
		"the event, its place in the file and both states."},
	{"broken-order",
		"No order of the threads' events satisfies their sequence numbers: an event waits for one\n"
		"that is in no thread's stream. Lost or repeated batches do that, and files joined from\n"
		"several recordings."},
	{"coupling",
		"An event's thread does not have the P or the goroutine that the event needs, or has another.\n"
		"See coupling-violation."},
};

const char *stwatch_explain(const char *rule_or_cause)
{
	for (size_t i = 0; rule_or_cause && i < sizeof TOPICS / sizeof *TOPICS; i++)
		if (strcmp(TOPICS[i].name, rule_or_cause) == 0)
			return TOPICS[i].text;
	return NULL;
}

const char *stwatch_explain_topic(size_t index)
{
	return index < sizeof TOPICS / sizeof *TOPICS ? TOPICS[index].name : NULL;
}
