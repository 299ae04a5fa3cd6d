#include "api/stuck.h"

#include <stdio.h>
#include <string.h>

#include "rules/settings.h"

enum { ROUND_NS = 10000000, MOST_MARKS = 1 << 16, MOST_PROCS = 1 << 16 };

/* ---- idle P's ---- */

static int64_t idle_until(const stw_stuck *s, int64_t at)
{
	size_t low = 0, high = s->marks.count; /* the last mark that is not later */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->marks.items[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return s->marks.count ? s->marks.items[0].sum : 0;
	const stw_idle_mark *m = &s->marks.items[low - 1];
	return m->sum + (m->idle ? at - m->at : 0);
}

static void mark_idle(stw_stuck *s, int64_t at)
{
	bool idle = false;
	for (size_t p = 0; p < s->idle.count && s->stops == 0 && !idle; p++)
		idle = s->idle.items[p] && (s->procs == 0 || (int64_t)p < s->procs);
	if (s->marks.count && s->marks.items[s->marks.count - 1].idle == idle)
		return;
	if (s->marks.count == MOST_MARKS) { /* a longer stay is told with less than its idleness */
		memmove(s->marks.items, s->marks.items + MOST_MARKS / 2, MOST_MARKS / 2 * sizeof *s->marks.items);
		s->marks.count = MOST_MARKS / 2;
	}
	int64_t sum = idle_until(s, at);
	stw_idle_mark *m = stw_vec_push(s->mem, &s->marks);
	if (m)
		*m = (stw_idle_mark){at, sum, idle};
	else
		s->failed = true;
}

static void set_idle(stw_stuck *s, int64_t p, bool idle, int64_t at)
{
	if (p < 0 || p >= MOST_PROCS)
		return;
	while (s->idle.count <= (size_t)p) {
		bool *one = stw_vec_push(s->mem, &s->idle);
		if (!one) {
			s->failed = true;
			return;
		}
		*one = false;
	}
	s->idle.items[p] = idle;
	mark_idle(s, at);
}

static void follow_procs(stw_stuck *s, const stw_stream_event *e)
{
	switch (e->type) {
	case STW_EV_ProcStart: set_idle(s, (int64_t)e->a[0], false, e->time); break;
	case STW_EV_ProcStop: set_idle(s, e->p, true, e->time); break;
	case STW_EV_ProcSteal: set_idle(s, (int64_t)e->a[0], true, e->time); break;
	case STW_EV_ProcStatus: set_idle(s, (int64_t)e->a[0], e->a[1] == STW_P_IDLE, e->time); break;
	case STW_EV_STWBegin:
	case STW_EV_STWEnd:
		s->stops += e->type == STW_EV_STWBegin ? 1 : s->stops > 0 ? -1 : 0;
		mark_idle(s, e->time);
		break;
	case STW_EV_ProcsChange:
		s->procs = (int64_t)e->a[0];
		mark_idle(s, e->time);
		break;
	default: break;
	}
}

/* ---- telling ---- */

static void tell(stw_stuck *s, const char *name, int64_t at, int64_t goroutine, int length)
{
	if (length < 0)
		return;
	size_t n = (size_t)length < sizeof s->details ? (size_t)length : sizeof s->details - 1;
	s->tell(s->user,
		&(stwatch_event){.time_ns = at,
			.kind = STWATCH_EVENT_STUCK,
			.name = name,
			.goroutine = goroutine,
			.proc = STWATCH_NONE,
			.thread = STWATCH_NONE,
			.details = s->details,
			.details_length = n});
}

static void on_interval(void *user, const stw_interval *i)
{
	stw_stuck *s = user;
	char by[32] = "", reason[160] = "", site[200] = "";
	if (i->resource != STW_RES_G || i->to - i->from < s->limits[i->state])
		return;
	if (i->by != STWATCH_NONE)
		snprintf(by, sizeof by, " By=%lld", (long long)i->by);
	if (i->reason)
		snprintf(reason, sizeof reason, " Reason=\"%.128s\"", stw_intern_get(&s->timeline.reasons, i->reason).data);
	if (i->stack)
		snprintf(site, sizeof site, " At=\"%.180s\"", stw_intern_get(&s->sites, (uint32_t)i->stack).data);
	tell(s, "GoStuck", i->to, i->id,
		snprintf(s->details, sizeof s->details, "State=%s For=%lld Since=%lld%s%s Idle=%lld%s%s%s", stw_state_name(i->state),
			(long long)(i->to - i->from), (long long)(i->from - s->first), i->open_begin ? " OpenBegin" : "",
			i->open_end ? " OpenEnd" : "", (long long)(idle_until(s, i->to) - idle_until(s, i->from)), by, reason, site));
}

/* ---- the queue ---- */

static int64_t queue_limit(const stw_stuck *s)
{
	return s->procs > 0 ? s->factor * s->procs : INT64_MAX;
}

static void end_queue(stw_stuck *s, int64_t at)
{
	int64_t from = s->queue_from;
	s->queue_from = INT64_MIN;
	if (from == INT64_MIN || at - from < s->rounds * ROUND_NS)
		return;
	tell(s, "QueueStuck", at, STWATCH_NONE,
		snprintf(s->details, sizeof s->details, "Runnable=%lld Limit=%lld For=%lld Since=%lld Idle=%lld", (long long)s->queue_least,
			(long long)queue_limit(s), (long long)(at - from), (long long)(from - s->first),
			(long long)(idle_until(s, at) - idle_until(s, from))));
}

/* The rounds that are over when an event comes. */
static void end_rounds(stw_stuck *s, int64_t at)
{
	int64_t round = at / ROUND_NS;
	if (round == s->round)
		return;
	if (s->least > queue_limit(s)) {
		if (s->queue_from == INT64_MIN) {
			s->queue_from = s->round * ROUND_NS > s->first ? s->round * ROUND_NS : s->first;
			s->queue_least = s->least;
		}
		s->queue_least = s->least < s->queue_least ? s->least : s->queue_least;
	} else {
		end_queue(s, s->round * ROUND_NS);
	}
	if (round > s->round + 1 && s->runnable <= queue_limit(s)) /* nothing changed in between */
		end_queue(s, (s->round + 1) * ROUND_NS);
	s->round = round;
	s->least = s->runnable;
}

static void on_move(void *user, const stw_move *m)
{
	stw_stuck *s = user;
	if (m->resource != STW_RES_G)
		return;
	s->runnable += (m->to == STW_STATE_G_RUNNABLE) - (m->from == STW_STATE_G_RUNNABLE);
	if (s->runnable < 0) /* one that stood so from the start */
		s->runnable = 0;
	if (s->runnable < s->least)
		s->least = s->runnable;
}

/* ---- reading ---- */

bool stw_stuck_init(stw_stuck *s, stw_mem *mem, unsigned version, const stwatch_settings *settings, stw_stuck_fn tell_fn, void *user)
{
	stwatch_settings defaults;
	if (!settings) {
		stwatch_settings_init(&defaults);
		settings = &defaults;
	}
	*s = (stw_stuck){.mem = mem, .queue_from = INT64_MIN, .fresh = true, .tell = tell_fn, .user = user};
	for (unsigned i = 0; i < STW_STATE_COUNT; i++)
		s->limits[i] = INT64_MAX;
#define STW_STARVATION(state, setting) s->limits[STW_STATE_##state] = settings->values[STW_SET_##setting];
#include "rules/starvation.def"
#undef STW_STARVATION
	s->factor = settings->values[STW_SET_BACKLOG_FACTOR];
	s->rounds = settings->values[STW_SET_BACKLOG_ROUNDS];
	stw_intern_init(&s->sites, mem);
	const stw_timeline_hooks hooks = {.interval = on_interval, .move = on_move, .user = s};
	if (stw_intern_put(&s->sites, "", 0) != UINT32_MAX && stw_timeline_init(&s->timeline, mem, version, &hooks))
		return true;
	stw_intern_free(&s->sites);
	return false;
}

void stw_stuck_free(stw_stuck *s)
{
	stw_timeline_free(&s->timeline);
	stw_intern_free(&s->sites);
	stw_vec_free(s->mem, &s->idle);
	stw_vec_free(s->mem, &s->marks);
}

static uint32_t reason_of(stw_stuck *s, stw_stream *stream, uint64_t id)
{
	uint32_t index = stw_generation_string(&stream->gen, id);
	const stw_string *text = index == STW_MAP_NONE ? NULL : &stream->gen.strings.items[index];
	return text && text->length ? stw_timeline_reason(&s->timeline, text->data, text->length) : 0;
}

/* "function file:line" of a stack's leaf, as a number of sites; remembered beside the stack. 0: none. */
static uint32_t site_of(stw_stuck *s, stw_stream *stream, uint64_t id)
{
	char text[200];
	uint32_t index = id ? stw_generation_stack(&stream->gen, id) : STW_MAP_NONE;
	if (index == STW_MAP_NONE || index == 0)
		return 0;
	stw_v2_stack *stack = &stream->gen.stacks.items[index];
	if (stack->note[0] || stack->count == 0)
		return stack->note[0];
	const stw_v2_frame *f = stw_generation_frame(&stream->gen, stack, 0);
	const stw_string *function = &stream->gen.strings.items[f->func], *file = &stream->gen.strings.items[f->file];
	const char *slash = memrchr(file->data, '/', file->length);
	const char *base = slash ? slash + 1 : file->data;
	int n = snprintf(text, sizeof text, "%.*s %.*s:%llu", (int)function->length, function->data,
		(int)(file->data + file->length - base), base, (unsigned long long)f->line);
	uint32_t number = n < 0 ? UINT32_MAX : stw_intern_put(&s->sites, text, strlen(text));
	if (number == UINT32_MAX) {
		s->failed = true;
		return 0;
	}
	return stack->note[0] = number;
}

bool stw_stuck_take(stw_stuck *s, stw_stream *stream, const stw_stream_event *e)
{
	if (e->type == STW_EV_SYNC_POINT) {
		s->fresh |= e->has_generation;
		return true;
	}
	if (!s->begun) {
		s->first = e->time;
		s->round = e->time / ROUND_NS;
		s->begun = true;
	}
	s->last = e->time;
	end_rounds(s, e->time);
	follow_procs(s, e);
	if (s->fresh)
		stw_timeline_generation(&s->timeline, e->time, ++s->generations);
	s->fresh = false;
	const int8_t stack = stw_event_spec_of(e->type)->stack;
	stw_timeline_event out = {
		.time = e->time, .m = e->m, .p = e->p, .g = e->g, .a = {e->a[0], e->a[1], e->a[2], e->a[3]}, .type = e->type};
	if (e->type == STW_EV_GoBlock || e->type == STW_EV_GoStop)
		out.reason = reason_of(s, stream, e->a[0]);
	if (e->type != STW_EV_GoUnblock && stack >= 0 && stack < 4) /* a waker's stack is not the goroutine's */
		out.stack = site_of(s, stream, e->a[stack]);
	s->failed |= !stw_timeline_add(&s->timeline, &out);
	return !s->failed;
}

void stw_stuck_gap(stw_stuck *s)
{
	if (!s->begun)
		return;
	end_rounds(s, (s->round + 1) * ROUND_NS);
	end_queue(s, s->last);
	stw_timeline_gap(&s->timeline, s->last);
	memset(s->idle.items, 0, s->idle.count * sizeof *s->idle.items);
	s->stops = s->runnable = s->least = 0;
	mark_idle(s, s->last);
}

void stw_stuck_finish(stw_stuck *s)
{
	if (!s->begun)
		return;
	stw_timeline_finish(&s->timeline, s->last);
	end_rounds(s, (s->round + 1) * ROUND_NS);
	end_queue(s, s->last);
}
