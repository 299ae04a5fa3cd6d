/* schedtrace: the line of a sample. */
#include "sources/godebug.h"
#include "sources/godebug_scan.h"

enum { MOST_TICKS = 4096 };

/* A line as it is written. */
typedef struct sched_line {
	uint64_t ms, procs, idle, threads, spinning, idle_threads, global, waiting;
	uint64_t local, local_max;
	bool detailed;
	const char *ticks; /* of schedticks, the first one; NULL: it has none */
} sched_line;

void stw_sched_queue(stw_sched_sample *s, uint64_t n)
{
	s->local += n;
	if (n > s->local_max)
		s->local_max = n;
}

/* "true", "false" or a number, which may be negative. */
static bool scan_flag(stw_reading *in, uint64_t *out)
{
	*out = stw_reading_optional(in, "true");
	if (*out || stw_reading_optional(in, "false"))
		return true;
	stw_reading_optional(in, "-");
	return stw_reading_count(in, out);
}

/* " [1 0]" or " [ 1 0 ]"; as many as there are P's. */
static void scan_queues(stw_reading *in, sched_line *l)
{
	uint64_t n;
	stw_reading_text(in, " [");
	for (uint64_t i = 0; i < l->procs && in->ok; i++) {
		in->at += strspn(in->at, " ");
		if (!stw_reading_count(in, &n))
			return;
		n = n < UINT32_MAX ? n : UINT32_MAX;
		l->local += n;
		l->local_max = n > l->local_max ? n : l->local_max;
	}
	if (in->ok)
		in->at += strspn(in->at, " ");
	stw_reading_text(in, "]");
}

/* " schedticks=[ 99 98 ]" (Go 1.25 and later): how often each P has scheduled. */
static void scan_ticks(stw_reading *in, sched_line *l)
{
	uint64_t n;
	if (!stw_reading_optional(in, " schedticks=["))
		return;
	l->ticks = in->at + strspn(in->at, " ");
	for (uint64_t i = 0; i < l->procs && in->ok; i++) {
		in->at += strspn(in->at, " ");
		stw_reading_count(in, &n);
	}
	if (in->ok)
		in->at += strspn(in->at, " ");
	stw_reading_text(in, "]");
}

static void scan_details(stw_reading *in, sched_line *l)
{
	uint64_t n;
	l->detailed = true;
	scan_flag(in, &l->waiting);
	stw_reading_text(in, " nmidlelocked=");
	scan_flag(in, &n);
	stw_reading_text(in, " stopwait=");
	scan_flag(in, &n);
	stw_reading_text(in, " sysmonwait=");
	scan_flag(in, &n);
}

/* From behind "SCHED " on. Whole: in.ok; like one: more than the first number is as it should be. */
static stw_reading scan_line(const char *s, sched_line *l)
{
	stw_reading in = {s, true};
	uint64_t needed;
	*l = (sched_line){0};
	stw_reading_count(&in, &l->ms);
	in.ok = in.ok && l->ms <= STW_LONGEST_RUN_NS / 1000000;
	stw_reading_text(&in, "ms: gomaxprocs=");
	stw_reading_count(&in, &l->procs);
	stw_reading_text(&in, " idleprocs=");
	stw_reading_count(&in, &l->idle);
	stw_reading_text(&in, " threads=");
	stw_reading_count(&in, &l->threads);
	stw_reading_text(&in, " spinningthreads=");
	stw_reading_count(&in, &l->spinning);
	if (stw_reading_optional(&in, " needspinning="))
		stw_reading_count(&in, &needed);
	stw_reading_text(&in, " idlethreads=");
	scan_flag(&in, &l->idle_threads);
	stw_reading_text(&in, " runqueue=");
	scan_flag(&in, &l->global);
	if (stw_reading_optional(&in, " gcwaiting=")) {
		scan_details(&in, l);
	} else {
		scan_queues(&in, l);
		scan_ticks(&in, l);
	}
	return in;
}

stw_line_is stw_godebug_sched_is(const char *s, const char **stop)
{
	sched_line l;
	stw_reading in = scan_line(s, &l);
	*stop = in.at;
	return in.ok ? STW_LINE_WHOLE : in.at > s ? STW_LINE_TORN : STW_LINE_OTHER;
}

/* Where no P is idle and none looks for work, one that does not schedule any more runs on. */
static bool read_ticks(stw_godebug *g, const stw_sched_sample *s, const char *at)
{
	uint64_t tick;
	if (!at || s->idle || s->spinning)
		return true;
	for (int64_t p = 0; p < MOST_TICKS && (at = stw_read_count(at, &tick)); p++, at += strspn(at, " "))
		if (!stw_godebug_stays(g, (stw_sched_stay){.kind = STW_STAY_TICKS, .p = p, .g = -1, .m = -1, .schedtick = tick}, s))
			return false;
	return true;
}

bool stw_godebug_sched(stw_godebug *g, const char *s, const stw_godebug_at *at, bool *found)
{
	sched_line l;
	if (!scan_line(s, &l).ok)
		return true;
	*found = true;
	if (!stw_godebug_sample_over(g))
		return false;
	stw_sched_sample new = {
		.at_ns = (int64_t)l.ms * 1000000,
		.line = at->line,
		.procs = stw_small((int64_t)l.procs),
		.idle = stw_small((int64_t)l.idle),
		.threads = stw_small((int64_t)l.threads),
		.spinning = stw_small((int64_t)l.spinning),
		.idle_threads = stw_small((int64_t)l.idle_threads),
		.global = stw_small((int64_t)l.global),
		.local = l.local,
		.local_max = l.local_max,
		.detailed = l.detailed,
		.detail.gc_waiting = l.waiting > 0,
	};
	new.run = stw_godebug_run_of(g, at, new.at_ns, -1);
	stw_sched_sample *sample = new.run == UINT32_MAX ? NULL : stw_vec_push(g->mem, &g->samples);
	if (!sample)
		return false;
	*sample = new;
	g->reading_details = new.detailed;
	g->details_stream = at->stream;
	return stw_godebug_written(g, new.run, new.at_ns, at) && read_ticks(g, &new, l.ticks);
}

/* sysmon has a thread and no P (runtime/proc.go); a P that is not idle has one. */
uint32_t stw_sched_in_calls(const stw_sched_sample *s)
{
	if (s->detailed && s->detail.ms)
		return s->detail.ms_in_go;
	uint64_t others = (uint64_t)s->idle_threads + (s->procs > s->idle ? s->procs - s->idle : 0) + 1;
	return s->threads > others ? (uint32_t)(s->threads - others) : 0;
}

const char *stw_p_state_name(uint32_t status)
{
	static const char *const names[] = {"idle", "running", "syscall", "gcstop", "dead"};
	return status < sizeof names / sizeof *names ? names[status] : "unknown";
}

const char *stw_g_state_name(uint32_t status)
{
	static const char *const names[STW_G_STATES] = {"idle", "runnable", "running", "syscall", "waiting", "moribund", "dead", "enqueue",
		"copystack", "preempted", "leaked", "deadextra", "unknown"};
	return names[status < STW_G_STATES ? status : STW_G_STATES - 1];
}
