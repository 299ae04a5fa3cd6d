/* What the rules and their causes mean, for people. A name that is both has one text. Rules come first, in the order of the pages
 * in docs/rules; causes follow as rules name them. Lines stand as they are printed: at most 98 columns, no indentation. */
#include <stddef.h>
#include <string.h>

#include "stwatch/analysis.h"

typedef struct topic {
	const char *name, *text;
} topic;

static const topic TOPICS[] = {
	/* ---- rules ---- */
	{"stw-prolonged",
		"One stop-the-world took too long. While it lasts, ever fewer goroutines run and in the end none.\n"
		"\n"
		"Measured from STWBegin to STWEnd, against --stw-note, --stw-warn and --stw-error. The range has\n"
		"three parts, and no event marks where one ends: the wait for the scheduler's lock (STWBegin is\n"
		"written before that lock is taken), stopping, and standing. stwatch infers them from when each P\n"
		"stopped or was taken away. Where the one who asks took a P out of a system call, the lock was held\n"
		"by then; else the wait for it can't be told from the stopping. If the last P took half of the\n"
		"range to stop, the culprit is the goroutine that ran there, its share the time since the last but\n"
		"one; else what was done while the world stood is to blame.\n"
		"\n"
		"The sweep termination and the mark termination of a collection are stops, two a cycle. So are\n"
		"ReadMemStats, a goroutine profile, a dump of all stacks, GOMAXPROCS. A CPU profile's signal stops\n"
		"one thread for microseconds, and never the world.\n"
		"\n"
		"Not shown: how long a caller queued for the right to stop the world (it waits before STWBegin, as\n"
		"\"sync\"), the stopping part of \"start trace\", and whether the kernel withheld the CPU.\n"
		"runtime/metrics counts otherwise: /sched/pauses/stopping and /total (since Go 1.22) begin when the\n"
		"lock is held and end before STWEnd is written, so its figures are smaller. Up to Go 1.20 traces\n"
		"show only the collector's stops.\n"
		"\n"
		"To fix: the cause says which. non-preemptible: break up the culprit's work. stop-work: ask for\n"
		"that stop less often, or for something cheaper. Next: is a CPU profile in the trace? Its samples\n"
		"show what the culprit did (leaf); record with one running if not."},
	{"stw-frequent",
		"Stops of the world are short, but there are so many that they cost too much together.\n"
		"\n"
		"Measured over the second before the end of each stop: the P-time lost, that is the sum over all\n"
		"P's of the time from a P's stop to the end of the stop, as a share of what GOMAXPROCS P's have to\n"
		"give in a second. Thresholds: --stw-share-note, --stw-share-warn, --stw-share-error. Their number\n"
		"alone is only worth a note (--stw-rate): fifty stops of 20 µs cost a thousandth. The cause is the\n"
		"kind of stop that cost most.\n"
		"\n"
		"A P that was idle loses nothing, so the share falls when a program has little to do. The P of the\n"
		"one who asks is not counted, nor is the cost of getting going again (cold caches, threads to\n"
		"wake).\n"
		"\n"
		"To fix: gc-cycles: allocate less, or raise GOGC or GOMEMLIMIT. requested-stops: find who asks; the\n"
		"evidence has the stack. Usual ones: runtime.ReadMemStats in a metrics loop (runtime/metrics reads\n"
		"the same without a stop), runtime.GC, runtime.Stack for all goroutines, profiles on a timer,\n"
		"GOMAXPROCS set again and again. Since Go 1.25 the runtime itself follows a changing CPU limit of a\n"
		"container with GOMAXPROCS stops, at most one a second. Next: stwatch stat, its table of stops."},
	{"non-preemptible",
		"A goroutine ran on although its P was wanted, because it reached no point where it can be\n"
		"interrupted. A rule of its own, and a cause of a long stop.\n"
		"\n"
		"As a cause: it was the last that a stop had to wait for, and the stop shows that preemption was\n"
		"asked for. As a rule, without a stop: since Go 1.14 a goroutine that computes is asked to yield\n"
		"after 10 ms and does so within another 10. So a run of 25 ms and more without a break, with\n"
		"another goroutine runnable beside it for --nonpreempt-note and no P idle, says that it could not.\n"
		"The run's length counts against --nonpreempt-note, --nonpreempt-warn, --nonpreempt-error. CPU\n"
		"samples in it make it likely; without any in the trace it stays possible, and a warning at most.\n"
		"If the trace has samples but none here, the CPU was taken away, and nothing is reported. Mark\n"
		"workers of the collector are left out: they work without preemption on purpose.\n"
		"\n"
		"Not interruptible are assembly (copying, clearing, comparing, hashing memory; AES, SHA and other\n"
		"kernels of crypto and math/big), the runtime and reflect, system calls made by syscall.RawSyscall,\n"
		"and everything with GODEBUG=asyncpreemptoff=1. Before Go 1.14: any loop without calls.\n"
		"\n"
		"The stack at the stop shows the first point after the work, so the culprit is the nearest function\n"
		"of the program; what it was really in only CPU samples tell.\n"
		"\n"
		"To fix: work in pieces (copy 1 MiB at a time in a loop: its head is a safe point); use\n"
		"syscall.Syscall instead of RawSyscall for what can block; drop asyncpreemptoff. The runtime clears\n"
		"big new allocations in pieces of 256 KiB itself (those with pointers since Go 1.24); copy, clear\n"
		"and append of big slices run in one go."},
	{"goroutine-starved",
		"A goroutine was ready to run and stood in a queue too long.\n"
		"\n"
		"Measured as time in the state runnable, without what overlaps a stop, against --starved-note,\n"
		"--starved-warn, --starved-error. Goroutines of the runtime are left out. Each wait is split by\n"
		"what the P's did meanwhile, in stretches of 1 ms and more. Waits that are half a stop, half\n"
		"silence of all threads, half beside an idle P, or that had half of the P-time in system calls, are\n"
		"left to the rules for these. Of the rest, the cause is gc-workers where mark workers had 40 % of\n"
		"the P-time, long-runner where runs of 25 ms and more make up 60 % of what ran, yield-spin where\n"
		"Gosched ends most runs; else it is saturation.\n"
		"\n"
		"How loud saturation gets depends on the victim: one that blocks now and then and runs for up to\n"
		"--burst-run in the mean is hurt by 30 ms; equals that all compute share the CPU fairly and get a\n"
		"note.\n"
		"\n"
		"A trace does not say in which queue (a P's own, the global one, or the place for the next to run)\n"
		"a goroutine stood, nor whether it is locked to a thread (LockOSThread) and had to wait for just\n"
		"that one. Waiting for a lock or a channel is no starvation and counts elsewhere\n"
		"(goroutine-stuck-waiting).\n"
		"\n"
		"To fix: see the cause. Next: stwatch stat, percentiles of scheduling latency and what the P's did.\n"
		"In production /sched/latencies:seconds (runtime/metrics, since Go 1.17) watches the same."},
	{"runqueue-backlog",
		"Runnable goroutines pile up faster than they are run.\n"
		"\n"
		"Measured as the number of goroutines that are runnable at one time: never below --backlog-length\n"
		"(or --backlog-factor times GOMAXPROCS, if that is less) for --backlog-rounds stretches of 10 ms,\n"
		"with at least one goroutine that waited for --backlog-age. A burst that only shrinks and is gone\n"
		"within --backlog-warn is left out: a thousand goroutines started at once and gone 50 ms later are\n"
		"an ordinary fan-out. If more than --backlog-length were runnable, its duration makes it a warning\n"
		"(--backlog-warn) or an error (--backlog-error); else it is a note.\n"
		"\n"
		"The trace has no lengths of queues; the sum over all queues follows from the transitions, their\n"
		"distribution does not. GODEBUG=schedtrace=1000 prints it for a live process.\n"
		"\n"
		"To fix: burst: bound how many goroutines are started at once (a semaphore, a worker pool,\n"
		"errgroup's SetLimit). saturation: there is more work than CPU; shed load or add processors. Next:\n"
		"whether GOMAXPROCS fits the CPU quota: before Go 1.25 the runtime ignores cgroup limits."},
	{"proc-idle-with-backlog",
		"P's stood idle while goroutines that they could have run were waiting.\n"
		"\n"
		"Measured as time in which a P below GOMAXPROCS is idle, for 1 ms and more at a stretch, while a\n"
		"goroutine is runnable, less what overlaps stops, against --idle-note, --idle-warn, --idle-error.\n"
		"Goroutines of the runtime, and waits in which the whole process was silent, are left out. That\n"
		"most P's are idle most of the time is no fault in itself; from --idle-share on it is mentioned\n"
		"with the finding. Whether the goroutine was locked to a thread, and had to wait for just that one,\n"
		"is not in the trace.\n"
		"\n"
		"The runtime wakes a thread whenever work appears and a P is idle, unless one is already looking\n"
		"for work. So the gap is mostly the time the kernel takes to run the woken thread. The trace can't\n"
		"show the kernel; if wake-ups are late on all P's alike, look there.\n"
		"\n"
		"To fix: is the CPU quota used up, are neighbours busy, is the process pinned to few CPUs? Then\n"
		"GOMAXPROCS is too high for what the kernel grants. On an idle machine: power saving of the CPU.\n"
		"Next: /sys/fs/cgroup/cpu.stat (nr_throttled), perf sched, the finding outside-program."},
	{"goroutine-stuck-waiting",
		"One goroutine waited for a lock far longer than locks are meant to be held, or waited for\n"
		"something and was never heard of again.\n"
		"\n"
		"held-lock: waits for a sync.Mutex, sync.RWMutex or a file's own lock that ended, against\n"
		"--wait-note, --wait-warn and --wait-error. The culprit is who woke the waiter, at the place of the\n"
		"unlock. never-woken: a wait that began in the trace and is open at its end, for --stuck-open and a\n"
		"quarter of the trace at least, of a goroutine that had hardly blocked before; on a channel,\n"
		"select, lock or condition, but not a WaitGroup. Sleep and network are how goroutines rest, and\n"
		"don't count. It is never more than a note.\n"
		"\n"
		"A wait that is still open when the trace ends is longer than what is seen, how much is unknown. An\n"
		"orphan and an idle worker look alike: \"possible\". Only a nil channel or an empty select is\n"
		"certain. How long the waker had held the lock is not in the trace: it may have changed hands, and\n"
		"the waker may have waited itself. The runtime only finds deadlocks of the whole program.\n"
		"\n"
		"To fix: look at the culprit: who held the lock, and what that goroutine was waiting for. Keep no\n"
		"lock over input, output or a channel operation; give waits an end (context, time.After, select).\n"
		"Next: the mutex and block profiles; a goroutine dump shows who sits there now. Since Go 1.22 the\n"
		"mutex profile counts by how many goroutines waited; since Go 1.26 a profile of leaked goroutines\n"
		"is there as an experiment (GOEXPERIMENT=goroutineleakprofile)."},
	{"goroutine-stuck-syscall",
		"A system call kept a goroutine, or the P under it, too long.\n"
		"\n"
		"Measured from GoSyscallBegin to its end, from --syscall-note on. It is a warning or an error by\n"
		"how long somebody waited for a lock that came free by its return (--syscall-warn,\n"
		"--syscall-error). Waiting for a child, standard input or a lock file without harm to anybody is\n"
		"healthy, and a note. Goroutines of the standard library's own (signals) are left out. Calls into C\n"
		"count as system calls: the runtime sees no difference.\n"
		"\n"
		"A call that outlasts the runtime's patience loses its P (ProcSteal) and ends in\n"
		"GoSyscallEndBlocked; then the goroutine has to queue for a P. Which call it was only the stack\n"
		"says. syscall.RawSyscall never shows: to the scheduler it is a goroutine that computes\n"
		"(non-preemptible). Files on disk block here, sockets and pipes mostly wait as \"network\".\n"
		"\n"
		"To fix: bound the call (SetDeadline on what can be polled, a timeout in C code), do it outside of\n"
		"locks, limit how many goroutines may do it at once: each one takes a thread. Next: strace -T -p,\n"
		"the disk's latency, a name server, a network file system."},
	{"proc-syscall-retake",
		"P's were kept by system calls while goroutines waited, until the runtime took them back.\n"
		"\n"
		"Measured on goroutines that stood runnable with no P idle beside them for 1 ms: the longest time\n"
		"in which one P was in a system call meanwhile, if that is half of the wait or more, against\n"
		"--retake-note, --retake-warn, --retake-error. Time without anybody waiting does not count.\n"
		"\n"
		"A goroutine keeps its P through a system call, for most are short. A thread of the runtime,\n"
		"sysmon, takes it away when it finds it in the same call twice: after 20 µs at best, 10 ms when its\n"
		"rounds have become rare. It also waits 10 ms on purpose when the P's own queue is empty and\n"
		"another P is idle or looking for work. Until Go 1.25 such a P is in a status of its own, since\n"
		"1.26 the runtime calls it running; the trace looks the same.\n"
		"\n"
		"To fix: fewer goroutines in blocking calls at one time, a few more P's (GOMAXPROCS) where the work\n"
		"is mostly calls of 20 µs to 10 ms, asynchronous interfaces. Next: goroutine-stuck-syscall names\n"
		"the calls that lasted."},
	{"outside-program",
		"The program wanted to run and was kept from it by something outside: the kernel's scheduler, a CPU\n"
		"quota, a signal, a neighbour on the machine.\n"
		"\n"
		"Measured from what is missing. process-stopped, against --outside-note, --outside-warn,\n"
		"--outside-error: no thread writes an event for 25 ms and more although several P's run goroutines,\n"
		"and no CPU sample falls into it; with one P only if the trace has samples elsewhere, and from 40\n"
		"ms on. cpu-taken: CPU samples cover less than 60 % of the time that P's ran goroutines, long runs\n"
		"left out: a note, below 50 % a warning. On a quiet host the two agree.\n"
		"\n"
		"The trace has no kernel events, so this is inferred, never certain; without a CPU profile in the\n"
		"trace only the first sign is left, and one P alone can't be told from code without preemption\n"
		"points. cpu-taken takes for granted that the profile ran all the time, at its usual 100 samples a\n"
		"second.\n"
		"\n"
		"To fix: compare cpu.stat of the cgroup (nr_throttled, throttled_usec) before and after; raise the\n"
		"quota or lower GOMAXPROCS to it (done by itself since Go 1.25, not for shares). Look at steal time\n"
		"(vmstat, column st), at swapping, at suspended machines. Next: perf sched timehist, or record with\n"
		"a CPU profile running."},
	{"illegal-transition",
		"The trace shows a goroutine or a P doing what the runtime forbids, such as starting without having\n"
		"been runnable.\n"
		"\n"
		"Checked on every event: sequence numbers, the status before and after, ranges that begin and end,\n"
		"tasks. The rules are those that Go's own reader applies; where it gives up, stwatch reports the\n"
		"place and goes on with the next generation. Any occurrence is a warning; there is no threshold.\n"
		"\n"
		"Nearly always the file is at fault (cut, damaged, two recordings in one, written by a faulty tool)\n"
		"or a fault of the tracer in one Go release. A real scheduler bug or memory corruption is possible\n"
		"but rare. One fault costs its generation: what follows in it can't be trusted.\n"
		"\n"
		"To fix: record again; try the newest patch release of the Go version; run the program with -race\n"
		"and without unsafe and cgo. If it persists with a whole file, it is worth an issue with Go. Next:\n"
		"stwatch events up to the time shown; the exit code is 4, for the input is damaged."},
	{"coupling-violation",
		"Thread, P and goroutine contradict each other: an event needs a P that its thread does not have, a\n"
		"goroutine runs on two threads, a P is started that belongs to somebody.\n"
		"\n"
		"Checked on every event: a thread has at most one P and one goroutine, a P one thread, a running\n"
		"goroutine has both; only in a system call may the P be missing. The rules are those of Go's own\n"
		"reader. Any occurrence is a warning; there is no threshold.\n"
		"\n"
		"As with illegal-transition the file or the tracer is to blame nearly always. Parts of a trace put\n"
		"together in the wrong order look just like this, and so does a trace whose beginning is missing.\n"
		"\n"
		"To fix: record again, check how the file was stored and joined. Next: stwatch events up to the\n"
		"time shown, with --thread and --proc; the exit code is 4, for the input is damaged."},

	/* ---- causes ---- */
	{"no-preemption-point",
		"The goroutine was in code that can't be interrupted: assembly that copies, clears, compares or\n"
		"hashes memory, the runtime itself, a raw system call, or anything under asyncpreemptoff=1. The\n"
		"signal came, found no safe point and was sent again, every 100 µs during a stop. Split the work\n"
		"into pieces of about a megabyte. See non-preemptible."},
	{"hot-clock",
		"The goroutine reads the clock in a tight loop: at least half of its CPU samples are there, and\n"
		"four at least. time.Now runs mostly in assembly and kernel-mapped code where it can't be\n"
		"interrupted, so most signals miss; one hits after a few tries. That takes some milliseconds at\n"
		"worst; tens of them mean that something else was added to it. Read the clock every so many rounds,\n"
		"or sleep instead of polling."},
	{"stop-work",
		"The world stopped promptly; what then ran while it stood took long. A heap dump, the stacks of all\n"
		"goroutines (runtime.Stack with all set, the goroutine profile with debug=2), very many goroutines\n"
		"or P's, a forced collection with gcstoptheworld. Ask for it less often, or take what does not\n"
		"stop: runtime/metrics for ReadMemStats; the goroutine profile in binary form stops the world only\n"
		"briefly since Go 1.19."},
	{"world-lock",
		"The time went before any P was asked to stop: the one who stops the world waited for the\n"
		"scheduler's lock, or its own thread did not run. With very many threads and P's the lock is\n"
		"contended; else the kernel is the suspect. The trace shows it only where a P is taken late out of\n"
		"a system call, so this version leaves such stops under \"unknown\". Look at outside-program and at\n"
		"the number of threads (stwatch stat)."},
	{"unknown",
		"The evidence names no cause. The input can't tell, or what would tell contradicts itself; limits\n"
		"says what this trace lacks. A CPU profile running during the recording (its samples then stand in\n"
		"the trace) settles most of these cases. For a long stop: nobody in the program is shown to have\n"
		"kept the last P."},
	{"gc-cycles",
		"The stops are those of garbage collections: two or more a cycle, sweep termination and mark\n"
		"termination. So the number of cycles is what to lower: allocate less, reuse buffers, raise GOGC,\n"
		"or set GOMEMLIMIT and GOGC=off where memory is known. A live heap below 4 MB makes cycles very\n"
		"frequent: GOGC then works against the minimum heap."},
	{"requested-stops",
		"The stops were asked for by the program or a library: ReadMemStats, profiles, runtime.GC, stack\n"
		"dumps, GOMAXPROCS. The evidence shows the stacks. Metrics libraries that call ReadMemStats at\n"
		"every scrape are the usual case: use their collector on runtime/metrics instead."},
	{"saturation",
		"All P's were busy with the program's own goroutines: there was more work than CPU. Where one\n"
		"function had 30 % of what ran, it is named. If the process has its full CPU share, make the work\n"
		"cheaper, do less at a time or add processors. Check that GOMAXPROCS is not below the CPUs\n"
		"available, nor above the quota. Latency-critical goroutines get no priority in Go; a process of\n"
		"their own or a limit on batch work helps."},
	{"long-runner",
		"A few goroutines held the P's in long stretches while this one waited, longer than fair queueing\n"
		"explains. A goroutine that computes is interrupted after 10 ms at best, and those it woke itself\n"
		"share its slice. Split the work, or call runtime.Gosched at places where it is cheap. On one P\n"
		"(GOMAXPROCS=1) a single one suffices. If it can't be interrupted: non-preemptible."},
	{"yield-spin",
		"Goroutines call runtime.Gosched in a loop and keep the P's busy with coming and going. Each yield\n"
		"puts them at the end of the global queue, which is looked at every 61st time only while a P's own\n"
		"queue has work. Wait on a channel, a sync.Cond or a timer instead of polling; a spin that must be\n"
		"should end after a few rounds. A long series of very short runs is the sign."},
	{"late-wakeup",
		"A P was idle beside the waiting goroutine: a thread had been woken, or should have been, and came\n"
		"late. The kernel took its time (busy CPUs, quota, power saving), the one that was looking for work\n"
		"was held up itself, or the goroutine is locked to a thread. If it coincides with outside-program,\n"
		"begin there."},
	{"late-retake",
		"A P was tied up in a system call while a goroutine waited for it, and the runtime took it back\n"
		"only after its patience ended: 20 µs at best, 10 ms and more at worst. See proc-syscall-retake and\n"
		"the call in the evidence."},
	{"stop",
		"Most of a goroutine's wait to run fell into a stop of the world. It is a victim of stw-prolonged\n"
		"or stw-frequent, and counted there."},
	{"gc-workers",
		"Mark workers of the collector had the P's. Dedicated and fractional workers take a quarter of them\n"
		"together; idle workers take those that have nothing to do and give way. With few P's a quarter is\n"
		"felt most. With GODEBUG=gcstoptheworld=1 a collection takes them all until it is done. Fewer\n"
		"cycles, or a smaller heap of pointers to scan, lower it."},
	{"outside",
		"A goroutine waited to run while all threads were silent. Something outside of the program had the\n"
		"CPU; such waits are counted under outside-program."},
	{"burst",
		"Most of those that waited long were created by one function, which is named: a loop around a go\n"
		"statement. They queue behind each other and delay everybody else. Bound the number that run at\n"
		"once with a worker pool or a semaphore."},
	{"held-lock",
		"The goroutine waited for a mutex, and the one that woke it by unlocking is named. Below a wait of\n"
		"1 ms a mutex goes to whoever comes first, so it may have changed hands in between; and the one who\n"
		"woke may have waited itself: look at what it did in that time. Shorten what is done under the\n"
		"lock; take no second lock, call or channel operation inside."},
	{"slow-waker",
		"The goroutine waited for another to send, receive, signal or finish, and that one was late because\n"
		"it computed, waited or was in a system call itself. This version reports such waits only for locks\n"
		"(held-lock) and system calls (goroutine-stuck-syscall); stwatch events --goroutine shows who woke\n"
		"whom."},
	{"never-woken",
		"The wait was still open when the recording ended, and the goroutine was not woken once since it\n"
		"began: a channel without a partner, a lock whose holder waits in turn, an idle worker. How long it\n"
		"goes on is unknown; a second recording, or a goroutine dump later on, tells leaks from long waits."},
	{"blocking-call",
		"The system call simply took that long: a disk, a lock file, a pipe, a name lookup through C, a\n"
		"device. The stack names the call. Only the kernel knows what it was waiting for: strace -T, perf\n"
		"trace, or /proc/PID/stack while it lasts."},
	{"never-returned",
		"The goroutine was in its system call when the recording began or went into it later, and was still\n"
		"there at the end. Dedicated readers of a terminal or device look just so, and are healthy unless\n"
		"somebody waits for them."},
	{"process-stopped",
		"Every thread fell silent together although P's were running: the process got a SIGSTOP (or a\n"
		"debugger), its cgroup ran out of quota or was frozen, or the whole machine stood (suspended,\n"
		"migrated, swapping). Regular gaps of up to 100 ms are the mark of a CPU quota."},
	{"cpu-taken",
		"CPU samples account for less than the time that P's ran goroutines, although a sample is due each\n"
		"10 ms of CPU time. More runnable threads than CPUs, a neighbour, a quota, or steal time of the\n"
		"virtual machine. GOMAXPROCS above the CPUs granted makes it worse. A profile that ran for a part\n"
		"of the trace only looks the same."},
	{"status-mismatch",
		"A goroutine, P or range was in another state than the event takes for granted, such as blocking\n"
		"without running, or a collection that ends without having begun. The evidence has the event, its\n"
		"place in the file and both states."},
	{"broken-order",
		"No order of the threads' events satisfies their sequence numbers: an event waits for one that is\n"
		"in no thread's stream. Lost or repeated batches do that, and files joined from several recordings."},
	{"coupling",
		"An event's thread does not have the P or the goroutine that the event needs, or has another. See\n"
		"coupling-violation."},
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
