#include "rules/dumps.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const stw_dump *stw_next_dump(const stw_case *c, size_t *at)
{
	while (*at < c->companions->count) {
		const stw_dump *d = c->companions->items[(*at)++]->parts[STW_PART_DUMP];
		if (d)
			return d;
	}
	return NULL;
}

/* ---- words ---- */

const char *stw_dump_taker(const stw_dump *d, const stw_dump_lock *lock)
{
	const stw_named_stack *s = &stw_dump_stack_of(d, &d->gs.items[lock->longest])->named;
	uint32_t at = stw_dump_caller(s);
	if (at == s->n)
		return NULL;
	return stw_is_library(s->frames[at].function) ? stw_user_function(s) : s->frames[at].function;
}

const char *stw_dump_words(stw_case *c, const stw_dump *d, const stw_dump_g *g)
{
	const char *state = stw_dump_state(d, g);
	if (!*state)
		return "state not told";
	if (!g->minutes)
		return state;
	return stw_case_printf(c, "%s, %u minute%s", state, g->minutes, g->minutes == 1 ? "" : "s");
}

const char *stw_dump_place(stw_case *c, const stwatch_frame *f)
{
	const char *slash = strrchr(f->file, '/');
	return stw_case_printf(c, "%s %s:%llu", f->function, slash ? slash + 1 : f->file, (unsigned long long)f->line);
}

const char *stw_dump_lock_name(stw_case *c, const stw_dump *d, const stw_dump_lock *lock)
{
	const char *kind = d->gs.items[lock->longest].wait == STW_DUMP_MUTEX ? "mutex" : "read-write lock";
	return lock->object ? stw_case_printf(c, "the %s at 0x%llx", kind, (unsigned long long)lock->object)
			    : stw_case_printf(c, "a %s", kind);
}

/* ---- evidence ---- */

stwatch_evidence *stw_dump_step(
	stw_case *c, stw_found *f, const stw_dump *d, const stw_dump_g *g, const char *step, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	const char *part = g->id ? stw_case_printf(c, "goroutine %llu", (unsigned long long)g->id) : "";
	const char *who = g->id ? stw_case_printf(c, "G%llu ", (unsigned long long)g->id)
		: g->count > 1  ? stw_case_printf(c, "each of %u ", g->count)
				: "it ";
	stwatch_evidence *e = stw_found_step_from(
		c, f, d->companion, g->line, STWATCH_UNKNOWN, step, part ? part : "", "%s%s", who ? who : "", text);
	if (g->id)
		e->goroutine = (int64_t)g->id;
	stw_found_stack(e, &stw_dump_stack_of(d, g)->named);
	return e;
}

static const char *sign_words(uint8_t sign)
{
	static const char *const words[STW_DUMP_SIGN_COUNT] = {
		[STW_DUMP_PAST_LOCK] = "past the place where the others wait: it holds the lock, unless it has let go since",
		[STW_DUMP_PAST_LIKE] = "past the place where the others wait: it may hold the lock, if it is the same one",
		[STW_DUMP_SAME_OBJECT] = "in a method of the object to which the lock belongs: it may hold it",
		[STW_DUMP_ARGUMENT] = "with the lock's object in its hands: it may hold it",
	};
	return words[sign];
}

void stw_dump_tell_lock(stw_case *c, stw_found *f, const stw_dump *d, const stw_dump_lock *lock)
{
	const stw_dump_g *g = &d->gs.items[lock->longest];
	const stw_named_stack *s = &stw_dump_stack_of(d, g)->named;
	uint32_t at = stw_dump_caller(s);
	const char *place = at < s->n ? stw_dump_place(c, &s->frames[at]) : stw_case_site(c, s);
	stwatch_evidence *e = lock->count == 1
		? stw_dump_step(
			  c, f, d, g, "waits", "waits for %s, at %s: %s", stw_dump_lock_name(c, d, lock), place, stw_dump_words(c, d, g))
		: stw_dump_step(c, f, d, g, "waits", "waits for %s with %llu more, at %s: %s", stw_dump_lock_name(c, d, lock),
			  (unsigned long long)lock->count - 1, place, stw_dump_words(c, d, g));
	stw_found_value(c, e, "waiters", (int64_t)lock->count);
	if (lock->holder == STW_DUMP_NONE)
		return;
	const stw_dump_g *h = &d->gs.items[lock->holder];
	const stw_named_stack *hs = &stw_dump_stack_of(d, h)->named;
	stw_dump_step(c, f, d, h, "holder", "is at %s, %s", stw_dump_place(c, &hs->frames[lock->holder_frame]), sign_words(lock->sign));
	if (h->wait != STW_DUMP_UNKNOWN && lock->next == STW_DUMP_NONE)
		stw_dump_step(c, f, d, h, "holder-waits", "waits for %s, at %s: %s", stw_dump_waits_for((stw_dump_wait)h->wait),
			stw_case_site(c, hs), stw_dump_words(c, d, h));
}

void stw_dump_occurs(stw_case *c, stw_found *f, const stw_dump_g *g)
{
	stw_found_occurs(c, f, STWATCH_UNKNOWN, STWATCH_UNKNOWN, g->id ? (int64_t)g->id : STWATCH_NONE, STWATCH_NONE);
	if (c->failed)
		return;
	f->occurrences.items[f->occurrences.count - 1].duration_ns = stw_dump_waited(g);
	if (stw_dump_waited(g) > f->f.worst_ns)
		f->f.worst_ns = f->f.duration_ns = stw_dump_waited(g);
}

void stw_dump_harms(stw_case *c, stw_found *f, const stw_dump *d, const stw_dump_lock *lock)
{
	for (uint32_t i = 0; i < lock->n && !c->failed; i++) {
		const stw_dump_g *g = &d->gs.items[d->waiters.items[lock->first + i]];
		const stw_named_stack *s = &stw_dump_stack_of(d, g)->named;
		const char *function = stw_user_function(s);
		stw_dump_occurs(c, f, g);
		stw_found_harms(c, f, function ? function : "unknown", stw_root_function(s), g->id ? (int64_t)g->id : STWATCH_NONE,
			stw_dump_waited(g));
	}
}

/* ---- told before ---- */

static bool is_wait_rule(const char *rule)
{
	static const char *const rules[] = {"lock-convoy", "goroutine-leak", "goroutine-stuck-waiting", "deadlock"};
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (strcmp(rules[i], rule) == 0)
			return true;
	return false;
}

static bool names(const stwatch_party *p, const char *function)
{
	return function && ((p->function && strcmp(p->function, function) == 0) || (p->leaf && strcmp(p->leaf, function) == 0));
}

bool stw_dump_is_told(const stw_case *c, const stw_dump_g *g, const char *function)
{
	for (size_t i = 0; c->has_trace && i < c->found.count; i++) {
		const stw_found *f = c->found.items[i];
		if (!is_wait_rule(f->f.rule))
			continue;
		if (names(&f->culprit, function) || (g->id && f->culprit.goroutine == (int64_t)g->id))
			return true;
		for (size_t v = 0; v < f->victims.count; v++)
			if (names(&f->victims.items[v], function))
				return true;
		for (size_t h = 0; g->id && h < f->harmed.count; h++)
			if (f->harmed.items[h].g == (int64_t)g->id)
				return true;
	}
	return false;
}

/* A circle of guesses says something only where it has stood for long; where every sign is good, it stands for ever. */
static bool is_sure_circle(const stw_dump *d, const stw_dump_lock *lock)
{
	bool long_waits = true, good_signs = true;
	const stw_dump_lock *at = lock;
	do {
		long_waits &= at->minutes > 0;
		good_signs &= at->sign == STW_DUMP_PAST_LOCK;
		at = &d->locks.items[at->next];
	} while (at != lock);
	return long_waits || good_signs;
}

bool stw_dump_is_deadlock(const stw_dump *d, const stw_dump_lock *lock)
{
	return stw_dump_last(d)->asleep || (lock->circle && is_sure_circle(d, lock));
}
