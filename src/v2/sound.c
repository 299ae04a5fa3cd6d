#include "v2/sound.h"

#include "v2/tables.h"
#include "wire/varint.h"

enum {
	BACK = 64, /* events: nonsense passes for events for a while, and so do those of another thread that bytes are missing before */
	GS = 1024, /* goroutines that a thread's events are checked for */
	MOST_IDS = 1 << 30, /* of strings and stacks */
	MOST_PROCS = 1 << 20,
	MOST_BYTES = 61, /* of an event: its type, and up to six numbers */
	MOST_TIME_BITS = 40, /* of a time difference within a batch */
};

/* What a number can be at most, by the kinds of arguments; ids of goroutines, tasks, addresses and values can be anything. */
static bool believable(unsigned type, unsigned i, uint64_t value)
{
	const stw_event_spec *spec = stw_event_spec_of(type);
	int arg = (int)i;
	if (arg == spec->stack || arg == spec->stack2 || arg == spec->string || arg == spec->string2)
		return value < MOST_IDS;
	switch (type) {
	case STW_EV_ProcStatus: return i == 0 ? value < MOST_PROCS : value > 0 && value < STW_P_STATUS_COUNT;
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack: return i != 2 || (value > 0 && value < STW_G_STATUS_COUNT);
	case STW_EV_ProcsChange:
	case STW_EV_ProcStart:
	case STW_EV_ProcSteal: return i > 0 || value < MOST_PROCS;
	case STW_EV_GoStart:
	case STW_EV_GoUnblock:
	case STW_EV_GoCreate: return i > 0 || (value > 0 && value >> 48 == 0);
	default: return true;
	}
}

typedef struct passed {
	unsigned type;
	uint64_t a[5];
} passed;

static const uint8_t *pass_event(stw_go_version version, const uint8_t *p, const uint8_t *end, passed *e)
{
	e->type = *p++;
	const stw_event_spec *spec = stw_event_spec_of(e->type);
	uint64_t v;
	if (!stw_event_is_of(e->type, version) || !(p = stw_varint_get(p, end, &v)) || v >> MOST_TIME_BITS)
		return NULL;
	for (unsigned i = 0; p && i < spec->n_args; i++)
		if ((p = stw_varint_get(p, end, &e->a[i])) && !believable(e->type, i, e->a[i]))
			return NULL;
	return p;
}

/* ---- one thread's events must fit each other ---- */

typedef enum having { MAYBE, NO, YES } having;

typedef struct thread {
	int64_t m;
	having g, p, call; /* a goroutine, a proc, and it is in a system call */
	bool has_seq;
	uint64_t seq; /* of its proc */
	struct {
		uint64_t id, seq;
	} gs[GS]; /* the last sequence number seen of a goroutine */
} thread;

/* Of one goroutine they only grow. */
static bool in_sequence(thread *t, uint64_t g, uint64_t seq)
{
	size_t i = g % GS;
	bool fits = t->gs[i].id != g || seq > t->gs[i].seq;
	t->gs[i].id = g;
	t->gs[i].seq = seq;
	return fits;
}

static bool take_proc(thread *t, uint64_t seq)
{
	t->p = YES;
	t->has_seq = seq > 0;
	t->seq = seq;
	return true;
}

static bool end_run(thread *t)
{
	bool fits = t->g != NO && t->call != YES && t->p != NO;
	t->g = t->call = NO;
	return fits;
}

static bool call_begins(thread *t, uint64_t seq)
{
	bool fits = t->g != NO && t->call != YES && t->p != NO && (!t->has_seq || seq == t->seq + 1);
	t->g = t->call = YES;
	t->has_seq = true;
	t->seq = seq;
	return fits;
}

static bool call_ends(thread *t, bool blocked)
{
	bool fits = t->g != NO && t->call != NO;
	t->g = blocked ? NO : YES;
	t->call = NO;
	if (blocked) /* somebody has taken the proc */
		t->p = NO;
	return fits && (blocked || t->p != NO);
}

static bool status_told(thread *t, const passed *e)
{
	bool own = e->a[2] == STW_G_RUNNING || (e->a[2] == STW_G_SYSCALL && (int64_t)e->a[1] == t->m);
	if (!own)
		return true;
	bool fits = t->g != YES;
	t->g = YES;
	t->call = e->a[2] == STW_G_SYSCALL ? YES : NO;
	return fits;
}

/* Whether an event can follow those before it on its thread. */
static bool fits(thread *t, const passed *e)
{
	bool ok;
	switch (e->type) {
	case STW_EV_ProcStart: ok = t->p != YES; return take_proc(t, e->a[1]) && ok;
	case STW_EV_ProcStop:
		ok = t->p != NO && (t->g != YES || t->call == YES);
		t->p = NO;
		return ok;
	case STW_EV_ProcStatus: return e->a[1] != STW_P_RUNNING && e->a[1] != STW_P_SYSCALL ? true : take_proc(t, 0);
	case STW_EV_GoStart:
		ok = t->g != YES && t->p != NO;
		t->g = YES;
		t->call = NO;
		return in_sequence(t, e->a[0], e->a[1]) && ok;
	case STW_EV_GoUnblock: return in_sequence(t, e->a[0], e->a[1]);
	case STW_EV_GoBlock:
	case STW_EV_GoStop:
	case STW_EV_GoDestroy: return end_run(t);
	case STW_EV_GoSyscallBegin: return call_begins(t, e->a[0]);
	case STW_EV_GoSyscallEnd: return call_ends(t, false);
	case STW_EV_GoSyscallEndBlocked: return call_ends(t, true);
	case STW_EV_GoCreateSyscall:
		ok = t->g != YES;
		t->g = t->call = YES;
		return ok;
	case STW_EV_GoDestroySyscall: t->g = t->call = t->p = NO; return true;
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack: return status_told(t, e);
	default: return true;
	}
}

static const uint8_t *pass_numbers(const uint8_t *p, const uint8_t *end, uint64_t n)
{
	uint64_t v;
	while (p && n-- > 0)
		p = stw_varint_get(p, end, &v);
	return p;
}

static const uint8_t *pass_entry(unsigned table, const uint8_t *p, const uint8_t *end)
{
	uint64_t id, n;
	unsigned type = *p++;
	switch (table) {
	case STW_EV_Strings:
		if (type != STW_EV_String || !(p = stw_varint_get(p, end, &id)) || !(p = stw_varint_get(p, end, &n)))
			return NULL;
		return n <= STW_V2_MAX_STRING && n <= (uint64_t)(end - p) ? p + n : NULL;
	case STW_EV_Stacks:
		if (type != STW_EV_Stack || !(p = stw_varint_get(p, end, &id)) || !(p = stw_varint_get(p, end, &n)))
			return NULL;
		return n <= STW_V2_MAX_FRAMES ? pass_numbers(p, end, 4 * n) : NULL;
	case STW_EV_CPUSamples: return type == STW_EV_CPUSample ? pass_numbers(p, end, 5) : NULL;
	default: /* the clock */
		if (type != STW_EV_Frequency && type != STW_EV_ClockSnapshot)
			return NULL;
		return pass_numbers(p, end, type == STW_EV_Frequency ? 1 : 4);
	}
}

static const uint8_t *pass_table(const stw_batch_head *h, const uint8_t *data)
{
	const uint8_t *p = data + (h->first != STW_EV_Frequency), *end = data + h->size;
	while (p < end) {
		const uint8_t *next = pass_entry(h->first, p, end);
		if (!next)
			break;
		p = next;
	}
	return p;
}

/* The newest that events can be of. */
static stw_go_version newest(stw_go_version version, bool guessed)
{
	return guessed ? STW_GO126 : version;
}

uint32_t stw_sound_bytes(stw_go_version version, bool guessed, const stw_batch_head *h, const uint8_t *data)
{
	const uint8_t *p = data, *end = data + h->size;
	passed e;
	if (h->experiment)
		return h->size;
	if (stw_tables_is_table(version, h))
		return (uint32_t)(pass_table(h, data) - data);
	for (const uint8_t *next = p; next && p < end;)
		if ((next = pass_event(newest(version, guessed), p, end, &e)))
			p = next;
	return (uint32_t)(p - data);
}

uint32_t stw_sound_prefix(stw_go_version version, bool guessed, const stw_batch_head *h, const uint8_t *data, bool cut)
{
	const uint8_t *p = data, *end = data + h->size, *recent[BACK];
	thread t = {.m = (int64_t)h->m};
	passed e = {0};
	unsigned n = 0;
	for (; p < end; n++) {
		const uint8_t *next = pass_event(newest(version, guessed), p, end, &e);
		if (!next && cut && end - p < MOST_BYTES)
			return (uint32_t)(p - data);
		if (!next || !fits(&t, &e))
			break;
		recent[n % BACK] = p;
		p = next;
	}
	if (p == end)
		return (uint32_t)(p - data);
	return n < BACK ? 0 : (uint32_t)(recent[n % BACK] - data);
}
