#include <string.h>

#include "sources/godebug.h"

enum { MOST_PS = 4096, NAME_MAX_LENGTH = 1024 };
/* So long after other lines of one run no package of it is initialised any more. */
static const int64_t LATEST_INIT = 60000000000;

void stw_godebug_init(stw_godebug *g, const stw_companion *companion)
{
	*g = (stw_godebug){.companion = companion, .mem = companion->mem, .last_sched = -1, .last_gc = -1, .last_number = -1};
	stw_intern_init(&g->names, g->mem);
}

void stw_godebug_free(stw_godebug *g)
{
	stw_intern_free(&g->names);
	stw_vec_free(g->mem, &g->samples);
	stw_vec_free(g->mem, &g->ps);
	stw_vec_free(g->mem, &g->reading);
	stw_vec_free(g->mem, &g->gcs);
	stw_vec_free(g->mem, &g->inits);
}

/* ---- reading a line from left to right; NULL once it doesn't go on as it should ---- */

static const char *expect(const char *s, const char *text)
{
	size_t n = strlen(text);
	return s && strncmp(s, text, n) == 0 ? s + n : NULL;
}

static const char *optional(const char *s, const char *text)
{
	const char *after = expect(s, text);
	return after ? after : s;
}

static const char *read_count(const char *s, uint64_t *out)
{
	const char *from = s;
	*out = 0;
	if (!s)
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		*out = *out * 10 + (uint64_t)(*s - '0');
	return s > from && s - from <= 18 ? s : NULL;
}

/* "0.042" in units of `unit` ns. */
static const char *read_time(const char *s, int64_t unit, int64_t *ns)
{
	uint64_t whole;
	s = read_count(s, &whole);
	if (!s || whole > (uint64_t)(INT64_MAX / unit / 4))
		return NULL;
	*ns = (int64_t)whole * unit;
	if (*s != '.')
		return s;
	for (s++; *s >= '0' && *s <= '9'; s++) {
		unit /= 10;
		*ns += unit * (*s - '0');
	}
	return s;
}

/* The number behind " key="; -1 for nil, 1 and 0 for true and false. False if it isn't there. */
static bool key(const char *s, const char *name, int64_t *out)
{
	uint64_t n;
	s = strstr(s, name);
	if (!s)
		return false;
	s += strlen(name);
	if (expect(s, "nil") || expect(s, "-1"))
		*out = -1;
	else if (expect(s, "true") || expect(s, "false"))
		*out = *s == 't';
	else if (read_count(s, &n))
		*out = (int64_t)n;
	else
		return false;
	return true;
}

static uint32_t small(int64_t n)
{
	return n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* ---- which run of the program ---- */

static void next_run(stw_godebug *g)
{
	g->runs++;
	g->last_sched = g->last_gc = g->last_number = -1;
}

static uint32_t run_of_sched(stw_godebug *g, int64_t at)
{
	if (g->runs == 0 || at < g->last_sched)
		next_run(g);
	g->last_sched = at;
	return g->runs - 1;
}

static uint32_t run_of_gc(stw_godebug *g, int64_t at, int64_t number)
{
	if (g->runs == 0 || at < g->last_gc || number <= g->last_number)
		next_run(g);
	g->last_gc = at;
	g->last_number = number;
	return g->runs - 1;
}

/* ---- schedtrace ---- */

/* What was read of the P's belongs to a sample that is over: it is kept if its queues are the longest so far. */
static bool close_sample(stw_godebug *g)
{
	if (g->reading.count) {
		const stw_sched_sample *s = &g->samples.items[g->samples.count - 1];
		if (g->ps.count == 0 || stw_sched_queued(s) > g->ps_queued) {
			if (!stw_vec_reserve(g->mem, &g->ps, g->reading.count))
				return false;
			g->ps.count = g->reading.count;
			memcpy(g->ps.items, g->reading.items, g->reading.count * sizeof *g->ps.items);
			g->ps_line = s->line;
			g->ps_queued = stw_sched_queued(s);
		}
		g->reading.count = 0;
	}
	return true;
}

static void add_local(stw_sched_sample *s, uint64_t n)
{
	s->local += n < UINT32_MAX ? n : UINT32_MAX;
	if (n > s->local_max)
		s->local_max = n;
}

/* " [1 0]" or " [ 1 0 ]" */
static void read_queues(stw_sched_sample *s, const char *at)
{
	uint64_t n;
	for (at += strspn(at, " ["); (at = read_count(at, &n)); at += strspn(at, " "))
		add_local(s, n);
}

static bool sched_line(stw_godebug *g, const char *s, uint64_t line, bool *found)
{
	uint64_t ms;
	const char *rest = expect(read_count(s, &ms), "ms: gomaxprocs=");
	int64_t procs, idle, threads, spinning, idle_threads, global, waiting;
	if (!rest || ms > INT64_MAX / 1000000)
		return true;
	*found = true;
	if (!close_sample(g))
		return false;
	if (!key(s, " gomaxprocs=", &procs) || !key(rest, " idleprocs=", &idle) || !key(rest, " threads=", &threads) ||
		!key(rest, " spinningthreads=", &spinning) || !key(rest, " idlethreads=", &idle_threads) ||
		!key(rest, " runqueue=", &global)) {
		g->torn++;
		return true;
	}
	stw_sched_sample *sample = stw_vec_push(g->mem, &g->samples);
	if (!sample)
		return false;
	*sample = (stw_sched_sample){
		.at_ns = (int64_t)ms * 1000000,
		.line = line,
		.run = run_of_sched(g, (int64_t)ms * 1000000),
		.procs = small(procs),
		.idle = small(idle),
		.threads = small(threads),
		.spinning = small(spinning),
		.idle_threads = small(idle_threads),
		.global = small(global),
	};
	if (key(rest, " gcwaiting=", &waiting)) {
		sample->detailed = true;
		sample->detail.gc_waiting = waiting > 0;
	} else {
		const char *queues = strstr(rest, " runqueue=") + strlen(" runqueue=");
		read_queues(sample, queues + strspn(queues, "0123456789"));
	}
	return true;
}

/* "P3" before the colon at s: the letter and the number; 0 if it is something else. */
static char subject(const char *line, const char *s, uint64_t *id)
{
	const char *at = s;
	while (at > line && at[-1] >= '0' && at[-1] <= '9')
		at--;
	if (at == s || at == line || !read_count(at, id) || (at - 1 > line && at[-2] != ' ' && at[-2] != '\t'))
		return 0;
	return at[-1];
}

static bool p_line(stw_godebug *g, stw_sched_sample *s, const char *rest, uint64_t id)
{
	int64_t status, tick = 0, calls = 0, m = -1, queued, timers = 0;
	if (!key(rest, " status=", &status) || !key(rest, " runqsize=", &queued))
		return true;
	key(rest, " schedtick=", &tick);
	key(rest, " syscalltick=", &calls);
	key(rest, " m=", &m);
	key(rest, " timerslen=", &timers);
	s->detail.ps[status >= 0 && status < STW_P_STATES - 1 ? status : STW_P_STATES - 1]++;
	add_local(s, small(queued));
	stw_sched_p *p = g->reading.count < MOST_PS ? stw_vec_push(g->mem, &g->reading) : NULL;
	if (p)
		*p = (stw_sched_p){(int64_t)id, m, small(status), (uint64_t)tick, (uint64_t)calls, small(queued), small(timers)};
	return p || g->reading.count >= MOST_PS;
}

static void m_line(stw_sched_sample *s, const char *rest)
{
	int64_t p, g, blocked = 0, spinning = 0;
	if (!key(rest, " p=", &p) || !key(rest, " curg=", &g))
		return;
	key(rest, " blocked=", &blocked);
	key(rest, " spinning=", &spinning);
	s->detail.ms++;
	s->detail.ms_with_p += p >= 0;
	s->detail.ms_blocked += blocked > 0;
	s->detail.ms_spinning += spinning > 0;
	s->detail.ms_in_go += p < 0 && g >= 0;
}

static void g_line(stw_sched_sample *s, const char *rest)
{
	int64_t status;
	if (!key(rest, " status=", &status))
		return;
	status &= ~(int64_t)0x1000; /* _Gscan */
	s->detail.gs[status >= 0 && status < STW_G_STATES - 1 ? status : STW_G_STATES - 1]++;
}

/* "  P0: status=1 …", "  M3: p=0 curg=29 …", "  G7: status=4(chan receive) m=nil …" */
static bool detail_line(stw_godebug *g, const char *text)
{
	stw_sched_sample *s = &g->samples.items[g->samples.count - 1];
	const char *colon = strstr(text, ": status=");
	uint64_t id;
	if (!colon)
		colon = strstr(text, ": p=");
	char what = colon ? subject(text, colon, &id) : 0;
	if (what == 'P')
		return p_line(g, s, colon + 1, id);
	if (what == 'M')
		m_line(s, colon + 1);
	else if (what == 'G')
		g_line(s, colon + 1);
	return true;
}

/* ---- gctrace ---- */

/* "0.042+0.35/0.1+0.006": numbers and what separates them, up to most. */
static const char *read_sum(const char *s, int64_t *ns, char *before, unsigned most, unsigned *n)
{
	for (*n = 0; s && *n < most;) {
		s = read_time(s, 1000000, &ns[*n]);
		(*n)++;
		if (!s || (*s != '+' && *s != '/'))
			return s;
		before[*n] = *s++;
	}
	return NULL;
}

static bool read_phases(stw_gc_line *gc, const int64_t *clock, unsigned n)
{
	gc->sweep_term_ns = clock[0];
	gc->mark_ns = clock[1];
	gc->mark_term_ns = clock[n - 1];
	if (n == STW_GCTRACE_PHASES) {
		gc->barrier_ns = clock[2];
		gc->mark_ns += clock[3];
	}
	return n == 3 || n == STW_GCTRACE_PHASES;
}

/* Of the CPU times, assist/dedicated/idle stand between slashes. */
static bool read_cpu(stw_gc_line *gc, const int64_t *cpu, const char *before, unsigned n)
{
	for (unsigned i = 1; i + 1 < n; i++)
		if (before[i] == '/' && before[i + 1] == '/') {
			gc->assist_ns = cpu[i - 1];
			gc->dedicated_ns = cpu[i];
			gc->idle_ns = cpu[i + 1];
			return true;
		}
	return false;
}

static bool gc_line(stw_godebug *g, const char *s, uint64_t line, bool *found)
{
	stw_gc_line gc = {.line = line};
	uint64_t percent, heap[4], more, procs;
	int64_t clock[STW_GCTRACE_PHASES], cpu[STW_GCTRACE_PHASES + 4];
	char before[STW_GCTRACE_PHASES + 5] = {0};
	unsigned n;
	s = expect(read_time(expect(read_count(s, &gc.number), " @"), 1000000000, &gc.at_ns), "s ");
	s = expect(read_count(s, &percent), "%");
	if (!s)
		return true;
	*found = true;
	s = read_sum(expect(optional(s, " (checking for goroutine leaks)"), ": "), clock, before, STW_GCTRACE_PHASES, &n);
	bool whole = (s = expect(s, " ms clock, ")) && n >= 3 && read_phases(&gc, clock, n);
	s = whole ? read_sum(s, cpu, before, sizeof cpu / sizeof *cpu, &n) : NULL;
	whole = (s = expect(s, " ms cpu, ")) && read_cpu(&gc, cpu, before, n);
	for (int i = 0; i < 3; i++)
		s = expect(read_count(s, &heap[i]), i < 2 ? "->" : " MB, ");
	s = expect(read_count(s, &heap[3]), " MB goal, ");
	for (const char *next; s && (next = read_count(s, &more)) &&
		((next = expect(next, " MB stacks, ")) || (next = expect(read_count(s, &more), " MB globals, ")));)
		s = next;
	s = expect(read_count(s, &procs), " P");
	if (!whole || !s) {
		g->torn++;
		return true;
	}
	gc.percent = (int64_t)percent;
	gc.heap_start = (int64_t)heap[0];
	gc.heap_end = (int64_t)heap[1];
	gc.heap_live = (int64_t)heap[2];
	gc.goal = (int64_t)heap[3];
	gc.procs = small((int64_t)procs);
	gc.forced = expect(s, " (forced)") != NULL;
	gc.run = run_of_gc(g, gc.at_ns, (int64_t)gc.number);
	stw_gc_line *slot = stw_vec_push(g->mem, &g->gcs);
	if (slot)
		*slot = gc;
	return slot != NULL;
}

/* ---- inittrace ---- */

/* "init internal/bytealg @0.008 ms, 0 ms clock, 0 bytes, 0 allocs" */
static bool init_line(stw_godebug *g, const char *s, uint64_t line, bool *found)
{
	stw_init_line init = {.line = line};
	const char *at = s + strcspn(s, " "), *rest = expect(at, " @");
	if (!rest || at == s || at - s > NAME_MAX_LENGTH)
		return true;
	rest = expect(read_time(rest, 1000000, &init.at_ns), " ms, ");
	rest = expect(read_time(rest, 1000000, &init.clock_ns), " ms clock, ");
	rest = expect(read_count(rest, &init.bytes), " bytes, ");
	rest = expect(read_count(rest, &init.allocations), " allocs");
	if (!rest)
		return true;
	*found = true;
	if (g->runs == 0 || g->last_sched > init.at_ns + LATEST_INIT || g->last_gc > init.at_ns + LATEST_INIT)
		next_run(g);
	init.run = g->runs - 1;
	init.package = stw_intern_put(&g->names, s, (size_t)(at - s));
	stw_init_line *slot = init.package == UINT32_MAX ? NULL : stw_vec_push(g->mem, &g->inits);
	if (slot)
		*slot = init;
	return slot != NULL;
}

/* ---- lines ---- */

typedef bool (*reader)(stw_godebug *g, const char *s, uint64_t line, bool *found);

/* Tries wherever the word stands: a log may put anything before it. */
static bool look_for(stw_godebug *g, const char *text, const char *word, reader read, uint64_t line, bool *found)
{
	for (const char *s = text; !*found && (s = strstr(s, word)); s += strlen(word)) {
		if (s > text && ((s[-1] >= 'a' && s[-1] <= 'z') || (s[-1] >= 'A' && s[-1] <= 'Z')))
			continue; /* within another word */
		if (!read(g, s + strlen(word), line, found))
			return false;
	}
	return true;
}

bool stw_godebug_line(stw_godebug *g, const char *text, uint64_t line)
{
	bool found = false;
	if (!look_for(g, text, "SCHED ", sched_line, line, &found) || !look_for(g, text, "gc ", gc_line, line, &found) ||
		!look_for(g, text, "init ", init_line, line, &found))
		return false;
	if (found)
		return true;
	if (strstr(text, "pacer: ") && (strstr(text, "assist ratio=") || strstr(text, "% CPU (")))
		g->pacer++;
	else if (strstr(text, "scav ") && (strstr(text, " KiB work") || strstr(text, " MiB work")))
		g->scavenger++;
	else if (g->samples.count && g->samples.items[g->samples.count - 1].detailed)
		return detail_line(g, text);
	return true;
}

bool stw_godebug_end(stw_godebug *g)
{
	return close_sample(g);
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
