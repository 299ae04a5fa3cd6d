/* scheddetail: P's, threads and goroutines of a sample, and what stays the same from one sample to the next. */
#include "sources/godebug.h"
#include "sources/godebug_scan.h"

enum { MOST_PS = 4096, MOST_REASONS = 256, MOST_STAYS = 4096, MOST_OPEN = 2048, REASON_MAX_LENGTH = 64 };

/* ---- what goes on from sample to sample ---- */

static bool is_same(const stw_sched_stay *a, const stw_sched_stay *b)
{
	return a->kind == b->kind && a->run == b->run && a->p == b->p && a->g == b->g && a->m == b->m && a->schedtick == b->schedtick &&
		a->syscalltick == b->syscalltick;
}

/* What this sample says goes on from the one before, or begins. */
bool stw_godebug_stays(stw_godebug *g, stw_sched_stay now, const stw_sched_sample *s)
{
	const size_t n = g->open.count;
	now.run = s->run;
	for (size_t i = 0; i < n; i++) {
		size_t at = (g->next_open + i) % n; /* samples list them in the same order */
		stw_sched_stay *o = &g->open.items[at];
		if (o->line == s->line || !is_same(o, &now))
			continue;
		g->next_open = at + 1;
		o->samples++;
		o->to_ns = s->at_ns;
		o->line = s->line;
		o->stopping |= s->detail.gc_waiting;
		return true;
	}
	stw_sched_stay *o = n < MOST_OPEN ? stw_vec_push(g->mem, &g->open) : NULL;
	if (!o)
		return n >= MOST_OPEN;
	*o = now;
	o->samples = 1;
	o->from_ns = o->to_ns = s->at_ns;
	o->from_line = o->line = s->line;
	o->stopping = s->detail.gc_waiting;
	return true;
}

/* After a sample: what it did not go on with is over, and kept if it was seen twice. */
static bool close_stays(stw_godebug *g, const stw_sched_sample *s)
{
	size_t n = 0;
	for (size_t i = 0; i < g->open.count; i++) {
		stw_sched_stay o = g->open.items[i];
		if (o.run != s->run || o.line == s->line) {
			if (o.line == s->line && stw_sched_queued(s) > o.queued)
				o.queued = stw_sched_queued(s);
			g->open.items[n++] = o;
			continue;
		}
		stw_sched_stay *kept = o.samples >= 2 && g->stays.count < MOST_STAYS ? stw_vec_push(g->mem, &g->stays) : NULL;
		if (kept)
			*kept = o;
		else if (o.samples >= 2 && g->stays.count < MOST_STAYS)
			return false;
	}
	g->open.count = n;
	g->next_open = 0;
	return true;
}

/* ---- a sample that is over ---- */

static uint64_t goroutines(const stw_sched_sample *s)
{
	uint64_t n = 0;
	for (int i = 0; i < STW_G_STATES; i++)
		n += s->detail.gs[i];
	return n;
}

/* What was read of its P's and goroutines is kept if its queues are the longest so far, or as long and the goroutines more. */
static bool keep_details(stw_godebug *g, const stw_sched_sample *s)
{
	uint64_t queued = stw_sched_queued(s), n = goroutines(s);
	if (g->reading.count && (g->ps.count == 0 || queued > g->ps_queued || (queued == g->ps_queued && n > g->ps_goroutines))) {
		g->ps.count = 0;
		if (!stw_vec_reserve(g->mem, &g->ps, g->reading.count))
			return false;
		g->ps.count = g->reading.count;
		memcpy(g->ps.items, g->reading.items, g->reading.count * sizeof *g->ps.items);
		g->ps_line = s->line;
		g->ps_queued = queued;
		g->ps_goroutines = n;
	}
	g->reading.count = 0;
	return true;
}

static bool keep_reasons(stw_godebug *g, stw_sched_sample *s)
{
	const size_t n = g->reading_reasons.count;
	if (n == 0)
		return true;
	s->detail.first_reason = g->reasons.count;
	s->detail.n_reasons = (uint32_t)n;
	if (!stw_vec_reserve(g->mem, &g->reasons, n))
		return false;
	memcpy(g->reasons.items + g->reasons.count, g->reading_reasons.items, n * sizeof *g->reasons.items);
	g->reasons.count += n;
	g->reading_reasons.count = 0;
	return true;
}

bool stw_godebug_sample_over(stw_godebug *g)
{
	g->reading_details = false;
	if (g->samples.count == 0)
		return true;
	stw_sched_sample *s = &g->samples.items[g->samples.count - 1];
	return close_stays(g, s) && keep_details(g, s) && keep_reasons(g, s);
}

bool stw_godebug_details_end(stw_godebug *g)
{
	bool ok = stw_godebug_sample_over(g);
	for (size_t i = 0; ok && i < g->open.count; i++) {
		stw_sched_stay *kept = g->open.items[i].samples >= 2 && g->stays.count < MOST_STAYS ? stw_vec_push(g->mem, &g->stays)
												    : NULL;
		ok = kept || g->open.items[i].samples < 2 || g->stays.count >= MOST_STAYS;
		if (kept)
			*kept = g->open.items[i];
	}
	g->open.count = 0;
	return ok;
}

/* ---- details ---- */

/* "P3" before the colon at s: where the letter is, and the number; NULL if it is something else. */
static const char *subject(const char *line, const char *s, uint64_t *id)
{
	const char *at = s;
	while (at > line && at[-1] >= '0' && at[-1] <= '9')
		at--;
	if (at == s || at == line || !stw_read_count(at, id) || (at - 1 > line && at[-2] != ' ' && at[-2] != '\t'))
		return NULL;
	return at - 1;
}

static bool is_torn(stw_godebug *g)
{
	g->torn++;
	return true;
}

static bool p_line(stw_godebug *g, stw_sched_sample *s, const char *rest, uint64_t id)
{
	int64_t status, tick = 0, calls = 0, m = -1, queued, timers = 0;
	if (!stw_read_key(rest, " status=", &status) || !stw_read_key(rest, " runqsize=", &queued) || !strstr(rest, " gfreecnt="))
		return is_torn(g);
	stw_read_key(rest, " schedtick=", &tick);
	stw_read_key(rest, " syscalltick=", &calls);
	stw_read_key(rest, " m=", &m);
	stw_read_key(rest, " timerslen=", &timers);
	s->detail.ps[status >= 0 && status < STW_P_STATES - 1 ? status : STW_P_STATES - 1]++;
	stw_sched_queue(s, stw_small(queued));
	if (g->reading.count >= MOST_PS)
		return true;
	stw_sched_p *p = stw_vec_push(g->mem, &g->reading);
	if (!p)
		return false;
	*p = (stw_sched_p){(int64_t)id, m, stw_small(status), (uint64_t)tick, (uint64_t)calls, stw_small(queued), stw_small(timers)};
	return status != STW_SCHED_P_SYSCALL ||
		stw_godebug_stays(g,
			(stw_sched_stay){.kind = STW_STAY_CALL,
				.p = p->id,
				.g = -1,
				.m = m,
				.schedtick = p->schedtick,
				.syscalltick = p->syscalltick},
			s);
}

static const stw_sched_p *p_of(const stw_godebug *g, int64_t id)
{
	for (size_t i = 0; i < g->reading.count; i++) {
		size_t at = ((size_t)id + i) % g->reading.count; /* mostly they stand in order */
		if (g->reading.items[at].id == id)
			return &g->reading.items[at];
	}
	return NULL;
}

static bool m_line(stw_godebug *g, stw_sched_sample *s, const char *rest, int64_t id)
{
	int64_t p, curg, locked = -1, blocked = 0, spinning = 0;
	if (!stw_read_key(rest, " p=", &p) || !stw_read_key(rest, " curg=", &curg) || !stw_read_key(rest, " lockedg=", &locked))
		return is_torn(g);
	stw_read_key(rest, " blocked=", &blocked);
	stw_read_key(rest, " spinning=", &spinning);
	/* up to Go 1.10 a thread in a system call keeps the P's number; the P knows better whose it is */
	const stw_sched_p *of = p >= 0 && curg >= 0 ? p_of(g, p) : NULL;
	bool in_go = curg >= 0 && blocked <= 0 && (p < 0 || (of && of->m != id));
	s->detail.ms++;
	s->detail.ms_with_p += p >= 0 && !in_go;
	s->detail.ms_blocked += blocked > 0;
	s->detail.ms_spinning += spinning > 0;
	s->detail.ms_locked += locked >= 0;
	s->detail.ms_in_go += in_go;
	if (in_go)
		return stw_godebug_stays(g, (stw_sched_stay){.kind = STW_STAY_IN_CALL, .p = -1, .g = curg, .m = id}, s);
	return !of || of->status != STW_SCHED_P_RUNNING ||
		stw_godebug_stays(g, (stw_sched_stay){.kind = STW_STAY_RUNS, .p = p, .g = curg, .m = id, .schedtick = of->schedtick}, s);
}

/* Goroutines that run on or sleep in their threads by design: mark workers, the timers' goroutine (up to Go 1.13), those that stand
 * for threads of C (dead until C calls Go). What this sample says of them is nobody's. */
static void excuse(stw_godebug *g, stw_sched_sample *s, int64_t id, bool collector)
{
	for (size_t i = 0; i < g->open.count; i++) {
		stw_sched_stay *o = &g->open.items[i];
		if (o->g == id && o->line == s->line && o->run == s->run) {
			o->collector |= collector;
			s->detail.ms_in_go -= o->kind == STW_STAY_IN_CALL && !collector && o->samples && s->detail.ms_in_go;
			o->samples = collector ? o->samples : 0;
		}
	}
}

static bool count_reason(stw_godebug *g, const char *text, size_t length)
{
	uint32_t name = stw_intern_put(&g->names, text, length);
	if (name == UINT32_MAX)
		return false;
	for (size_t i = 0; i < g->reading_reasons.count; i++)
		if (g->reading_reasons.items[i].reason == name) {
			g->reading_reasons.items[i].count++;
			return true;
		}
	if (g->reading_reasons.count >= MOST_REASONS)
		return true;
	stw_sched_reason *r = stw_vec_push(g->mem, &g->reading_reasons);
	if (r)
		*r = (stw_sched_reason){name, 1};
	return r != NULL;
}

static bool g_line(stw_godebug *g, stw_sched_sample *s, const char *rest, int64_t id)
{
	int64_t status;
	if (!stw_read_key(rest, " status=", &status) || !strstr(rest, " lockedm="))
		return is_torn(g);
	status &= ~(int64_t)0x1000; /* _Gscan */
	s->detail.gs[status >= 0 && status < STW_G_STATES - 1 ? status : STW_G_STATES - 1]++;
	if (status == STW_SCHED_G_DEAD || status == STW_SCHED_G_DEAD_EXTRA)
		excuse(g, s, id, false);
	const char *reason = strchr(rest, '('), *end = reason ? strstr(reason, ") m=") : NULL;
	if (!end)
		return true;
	reason++; /* of the last wait, also where it does not wait now */
	if (strncmp(reason, "GC ", 3) == 0)
		excuse(g, s, id, true);
	else if (strncmp(reason, "timer goroutine", 15) == 0)
		excuse(g, s, id, false);
	size_t length = (size_t)(end - reason);
	return status != STW_SCHED_G_WAITING || length == 0 || length > REASON_MAX_LENGTH || count_reason(g, reason, length);
}

/* Of the process whose sample is being read: "  P0: status=1 …", "  M3: p=0 curg=29 …", "  G7: status=4(chan receive) m=nil …" */
bool stw_godebug_detail(stw_godebug *g, const char *text)
{
	if (!g->reading_details)
		return true;
	stw_sched_sample *s = &g->samples.items[g->samples.count - 1];
	const char *colon = strstr(text, ": status=");
	uint64_t id;
	if (!colon)
		colon = strstr(text, ": p=");
	const char *what = colon ? subject(text, colon, &id) : NULL;
	if (!what || stw_godebug_stream(text, (size_t)(what - text)) != g->details_stream)
		return true;
	if (*what == 'P')
		return p_line(g, s, colon + 1, id);
	if (*what == 'M')
		return m_line(g, s, colon + 1, (int64_t)id);
	return *what != 'G' || g_line(g, s, colon + 1, (int64_t)id);
}
