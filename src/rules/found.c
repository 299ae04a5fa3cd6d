#include "rules/case.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/causes.h"

enum { MOST_OCCURRENCES = 100, MOST_VICTIMS = 20, MOST_EVIDENCE = 60, MOST_COUNTED = 4096 };

const char *stw_case_printf(stw_case *c, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	size_t length = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
	const char *out = stw_arena_copy(&c->arena, text, length);
	if (!out)
		c->failed = true;
	return out ? out : "";
}

const char *stw_case_ms(stw_case *c, int64_t ns)
{
	if (ns >= 10000000000)
		return stw_case_printf(c, "%.1f s", (double)ns / 1e9);
	return stw_case_printf(c, ns < 1000000 ? "%.3f ms" : ns < 10000000 ? "%.2f ms" : "%.1f ms", (double)ns / 1e6);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

stw_found *stw_found_for(stw_case *c, const char *rule, const char *cause, const char *culprit, int note_setting, bool *fresh)
{
	*fresh = false;
	for (size_t i = 0; i < c->found.count; i++) {
		stw_found *f = c->found.items[i];
		if (same(f->f.rule, rule) && same(f->f.cause, cause) && same(f->culprit.function, culprit))
			return f;
	}
	stw_found *f = stw_arena_zalloc(&c->arena, sizeof *f);
	stw_found **slot = f ? stw_vec_push(c->mem, &c->found) : NULL;
	if (!slot) {
		c->failed = true;
		return NULL;
	}
	*slot = f;
	f->f.rule = rule;
	f->f.cause = cause;
	f->f.confidence = STWATCH_LIKELY;
	f->f.worst_ns = -1;
	f->culprit = (stwatch_party){.function = culprit, .goroutine = STWATCH_NONE, .proc = STWATCH_NONE, .thread = STWATCH_NONE};
	for (int i = 0; i < 3; i++)
		f->level[i] = note_setting >= 0 ? c->set[note_setting + i] : 0;
	*fresh = true;
	return f;
}

static int64_t since_start(const stw_case *c, int64_t at)
{
	return at == STWATCH_UNKNOWN ? at : at - c->start;
}

void stw_found_occurs(stw_case *c, stw_found *f, int64_t from, int64_t to, int64_t g, int64_t p)
{
	stwatch_occurrence *o = stw_vec_push(c->mem, &f->occurrences);
	if (!o) {
		c->failed = true;
		return;
	}
	*o = (stwatch_occurrence){since_start(c, from), to - from, g, p};
	f->f.count++;
	if (to - from > f->f.worst_ns) {
		f->f.worst_ns = f->f.duration_ns = to - from;
		f->f.start_ns = since_start(c, from);
		f->f.end_ns = since_start(c, to);
	}
}

/* True at the first harm to a goroutine (beyond very many, they are not counted any more). */
static bool is_new_victim(stw_case *c, stw_found *f, uint32_t victim, int64_t g)
{
	for (size_t i = 0; i < f->harmed.count; i++)
		if (f->harmed.items[i].g == g && f->harmed.items[i].victim == victim)
			return false;
	stw_harmed *h = f->harmed.count < MOST_COUNTED ? stw_vec_push(c->mem, &f->harmed) : NULL;
	if (h)
		*h = (stw_harmed){g, victim};
	return h != NULL;
}

void stw_found_harms(stw_case *c, stw_found *f, const char *function, const char *root, int64_t g, int64_t delay)
{
	f->f.harm_ns += delay;
	stwatch_party *v = NULL;
	for (size_t i = 0; i < f->victims.count && !v; i++)
		if (same(f->victims.items[i].function, function))
			v = &f->victims.items[i];
	if (v) {
		v->count += is_new_victim(c, f, (uint32_t)(v - f->victims.items), g);
	} else if (!(v = stw_vec_push(c->mem, &f->victims))) {
		c->failed = true;
		return;
	} else {
		*v = (stwatch_party){.function = function,
			.root = root,
			.kind = "goroutine",
			.goroutine = g,
			.proc = STWATCH_NONE,
			.thread = STWATCH_NONE,
			.count = 1};
		is_new_victim(c, f, (uint32_t)f->victims.count - 1, g);
	}
	v->delay_ns += delay;
	if (delay > v->delay_max_ns) {
		v->delay_max_ns = delay;
		v->goroutine = g;
	}
}

static stwatch_evidence *add_step(stw_case *c, stw_found *f, int64_t at, const char *step, const char *format, va_list args)
{
	char text[512];
	vsnprintf(text, sizeof text, format, args);
	stwatch_evidence *e = f->evidence.count < MOST_EVIDENCE ? stw_vec_push(c->mem, &f->evidence) : NULL;
	if (!e) {
		c->failed |= f->evidence.count < MOST_EVIDENCE;
		return &c->scratch;
	}
	*e = (stwatch_evidence){
		.at_ns = since_start(c, at),
		.step = step,
		.what = stw_case_printf(c, "%s", text),
		.goroutine = STWATCH_NONE,
		.proc = STWATCH_NONE,
		.thread = STWATCH_NONE,
	};
	return e;
}

static const char *file_at(const stw_case *c, int64_t at)
{
	const char *path = stw_trace_input_at(c->trace, at)->path, *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

void stw_found_reaches(stw_case *c, stw_found *f, const char *kind, const char *name, int64_t delay)
{
	stwatch_reached *r = NULL;
	for (size_t i = 0; i < f->reached.count && !r; i++)
		if (same(f->reached.items[i].kind, kind) && same(f->reached.items[i].name, name))
			r = &f->reached.items[i];
	if (!r) {
		r = stw_vec_push(c->mem, &f->reached);
		if (!r) {
			c->failed = true;
			return;
		}
		*r = (stwatch_reached){.kind = kind, .name = name};
	}
	r->count++;
	r->delay_ns += delay;
	r->delay_max_ns = delay > r->delay_max_ns ? delay : r->delay_max_ns;
}

stwatch_evidence *stw_found_step(stw_case *c, stw_found *f, int64_t at, const char *step, const char *source, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stwatch_evidence *e = add_step(c, f, at, step, format, args);
	va_end(args);
	e->source = stw_case_printf(c, "%s: %s", file_at(c, at), source);
	return e;
}

stwatch_evidence *stw_found_step_from(stw_case *c, stw_found *f, const stw_companion *from, uint64_t line, int64_t at, const char *step,
	const char *part, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stwatch_evidence *e = add_step(c, f, at, step, format, args);
	va_end(args);
	e->source = *part ? stw_case_printf(c, "%s: %s", from->name, part) : from->name;
	e->line = line;
	return e;
}

void stw_found_stack(stwatch_evidence *e, const stw_named_stack *stack)
{
	e->stack = stack->frames;
	e->n_stack = stack->n;
}

void stw_found_value(stw_case *c, stwatch_evidence *e, const char *name, int64_t number)
{
	stwatch_value *values = stw_arena_alloc(&c->arena, (e->n_values + 1) * sizeof *values);
	if (!values) {
		c->failed = true;
		return;
	}
	for (size_t i = 0; i < e->n_values; i++)
		values[i] = e->values[i];
	values[e->n_values] = (stwatch_value){.name = name, .number = number};
	e->values = values;
	e->n_values++;
}

void stw_found_rules_out(stw_case *c, stw_found *f, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	const char **line = stw_vec_push(c->mem, &f->ruled_out);
	if (line)
		*line = stw_case_printf(c, "%s", text);
	else
		c->failed = true;
}

const char *stw_own_function(const stw_named_stack *stack, const stw_named_stack *root)
{
	const char *start = stw_root_function(root);
	if (start && !stw_is_library(start) && !stw_is_wrapper(start))
		return start;
	for (uint32_t i = stack->n; i-- > 0;)
		if (!stw_is_library(stack->frames[i].function) && !stw_is_wrapper(stack->frames[i].function))
			return stack->frames[i].function;
	return start ? start : stw_root_function(stack);
}

static void learn_from(stw_case *c, const stw_candidates *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const stw_named_stack *root = stw_places_stack(&c->places, list->items[i].root),
				      *at = stw_places_stack(&c->places, list->items[i].stack);
		if (root->n != 1 || !stw_is_wrapper(root->frames[0].function))
			continue;
		const char *f = stw_root_function(at);
		if (f && !stw_is_wrapper(f))
			stw_places_learn_callee(&c->places, root->frames[0].function, f);
	}
}

void stw_case_learn_callees(stw_case *c)
{
	const stw_gather *a = c->gather;
	const stw_candidates *lists[] = {&a->runnable_stays, &a->runs, &a->syscalls, &a->lock_waits, &a->peer_waits, &a->waits};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		learn_from(c, lists[i]);
	stw_places_name_callees(&c->places);
}

uint32_t stw_case_frame(const stw_named_stack *s)
{
	static const char *const below[] = {"runtime.", "sync.", "internal/", "syscall.", "time.Sleep"};
	if (s->user < s->n)
		return s->user;
	for (uint32_t i = 0; i < s->n; i++) {
		bool inner = false;
		for (size_t k = 0; k < sizeof below / sizeof *below; k++)
			inner |= strncmp(s->frames[i].function, below[k], strlen(below[k])) == 0;
		if (!inner)
			return i;
	}
	return 0;
}

const char *stw_case_site(stw_case *c, const stw_named_stack *s)
{
	if (s->n == 0)
		return "";
	const stwatch_frame *f = &s->frames[stw_case_frame(s)];
	const char *slash = strrchr(f->file, '/');
	return stw_case_printf(c, "%s %s:%llu", f->function, slash ? slash + 1 : f->file, (unsigned long long)f->line);
}

bool stw_is_runtimes(const stw_named_stack *root)
{
	static const char *const own[] = {"runtime.", "runtime/trace.", "runtime/pprof.", "os/signal.", "internal/trace."};
	const char *f = stw_root_function(root);
	if (!f)
		return false;
	if (strcmp(f, "runtime.main") == 0 || strncmp(f, "runtime.runFinal", 16) == 0 || strncmp(f, "runtime.runfinq", 15) == 0 ||
		strncmp(f, "runtime.cgocallback", 19) == 0 || strncmp(f, "runtime.runCleanups", 19) == 0)
		return false; /* these run the program's own code */
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (strncmp(f, own[i], strlen(own[i])) == 0)
			return true;
	return false;
}

/* ---- concluding ---- */

static int longest_first(const void *x, const void *y)
{
	const stwatch_occurrence *a = x, *b = y;
	if (a->duration_ns != b->duration_ns)
		return a->duration_ns < b->duration_ns ? 1 : -1;
	return a->start_ns < b->start_ns ? -1 : a->start_ns > b->start_ns;
}

static int earliest_first(const void *x, const void *y)
{
	const stwatch_occurrence *a = x, *b = y;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return a->goroutine < b->goroutine ? -1 : a->goroutine > b->goroutine;
}

/* Most harmed first. Stable: of equals, those harmed directly stand before those who waited for them. */
static void sort_victims(stwatch_party *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		stwatch_party x = v[i];
		size_t k = i;
		for (; k > 0 && v[k - 1].delay_ns < x.delay_ns; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

static int most_delayed_first(const void *x, const void *y)
{
	const stwatch_reached *a = x, *b = y;
	if (a->delay_ns != b->delay_ns)
		return a->delay_ns < b->delay_ns ? 1 : -1;
	int kinds = strcmp(a->kind, b->kind);
	return kinds ? kinds : strcmp(a->name, b->name);
}

/* What has no time stands behind what has. */
static bool is_later(const stwatch_evidence *a, const stwatch_evidence *b)
{
	return b->at_ns != STWATCH_UNKNOWN && (a->at_ns == STWATCH_UNKNOWN || a->at_ns > b->at_ns);
}

/* Stable: steps of one instant stay as they were told. At most MOST_EVIDENCE. */
static void sort_evidence(stwatch_evidence *e, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		stwatch_evidence x = e[i];
		size_t k = i;
		for (; k > 0 && is_later(&e[k - 1], &x); k--)
			e[k] = e[k - 1];
		e[k] = x;
	}
}

/* The same for the same problem in another recording: no times, ids or counts go in. */
static const char *id_of(stw_case *c, const stw_found *f)
{
	const char *parts[] = {f->f.rule, f->f.cause, f->culprit.function};
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		for (const char *p = parts[i] ? parts[i] : ""; h = (h ^ (unsigned char)*p) * 0x100000001b3u, *p; p++)
			;
	return stw_case_printf(c, "%s-%08llx", f->f.rule, (unsigned long long)(h ^ h >> 32) & 0xffffffff);
}

static void conclude(stw_case *c, stw_found *f, stwatch_finding *out)
{
	if (f->occurrences.count > 1)
		qsort(f->occurrences.items, f->occurrences.count, sizeof *f->occurrences.items, longest_first);
	size_t n = f->occurrences.count < MOST_OCCURRENCES ? f->occurrences.count : MOST_OCCURRENCES;
	if (n > 1)
		qsort(f->occurrences.items, n, sizeof *f->occurrences.items, earliest_first);
	sort_victims(f->victims.items, f->victims.count);
	if (f->reached.count > 1)
		qsort(f->reached.items, f->reached.count, sizeof *f->reached.items, most_delayed_first);
	sort_evidence(f->evidence.items, f->evidence.count);
	*out = f->f;
	if (!out->severity) {
		int64_t size = f->f.worst_ns;
		out->severity = size >= f->level[2] ? STWATCH_ERROR : size >= f->level[1] ? STWATCH_WARNING : STWATCH_NOTE;
	}
	if (f->most && out->severity > f->most)
		out->severity = f->most;
	out->id = id_of(c, f);
	out->occurrences = f->occurrences.items;
	out->n_occurrences = n;
	out->victims = f->victims.items;
	out->n_victims = f->victims.count < MOST_VICTIMS ? f->victims.count : MOST_VICTIMS;
	out->reached = f->reached.items;
	out->n_reached = f->reached.count < MOST_VICTIMS ? f->reached.count : MOST_VICTIMS;
	out->evidence = f->evidence.items;
	out->n_evidence = f->evidence.count;
	out->ruled_out = f->ruled_out.items;
	out->n_ruled_out = f->ruled_out.count;
	out->culprit = f->culprit.function ? &f->culprit : NULL;
	if (!out->title)
		out->title = f->f.rule;
	out->advice = stw_case_advice_since(c, f);
	if (out->harm_ns < 0)
		out->harm_ns = 0;
}

bool stw_case_conclude(stw_case *c, stwatch_finding **findings, size_t *count)
{
	*count = c->found.count;
	*findings = stw_arena_zalloc(&c->arena, (c->found.count + 1) * sizeof **findings);
	if (!*findings)
		return false;
	for (size_t i = 0; i < c->found.count; i++)
		conclude(c, c->found.items[i], &(*findings)[i]);
	stw_findings_order(*findings, *count);
	return !c->failed;
}
