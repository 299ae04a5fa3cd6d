/* The result of a path in words: stretches, shares, names to choose from, limits. */
#include <stdlib.h>
#include <string.h>

#include "api/path.h"

enum { LISTED = 200 }; /* names to choose from */

const char *stwatch_path_subject_name(stwatch_path_subject subject)
{
	static const char *const NAMES[] = {"", "task", "region", "goroutine", "function"};
	return (unsigned)subject < sizeof NAMES / sizeof *NAMES ? NAMES[subject] : "";
}

const char *stwatch_path_kind_name(stwatch_path_kind kind)
{
	static const char *const NAMES[STWATCH_PATH_KINDS] = {
		"", "running", "gc-assist", "runnable", "stopped", "syscall", "network", "timer", "gc", "waiting", "unknown"};
	return (unsigned)kind < STWATCH_PATH_KINDS ? NAMES[kind] : "";
}

static const char *text(const stwatch_path *x, uint32_t number)
{
	return stw_spots_text(&x->spots, number);
}

static const char *name_or_null(const stwatch_path *x, uint32_t number)
{
	return number ? text(x, number) : NULL;
}

/* What kept the P's, in one word. */
static const char *cause_of(const stw_way_procs *p)
{
	int64_t whole = p->running_ns + p->gc_ns + p->syscall_ns + p->idle_ns;
	if (2 * p->idle_ns >= whole)
		return "proc-idle";
	if (p->gc_ns > p->running_ns && p->gc_ns >= p->syscall_ns)
		return "gc-workers";
	return p->syscall_ns > p->running_ns ? "system-calls" : "busy";
}

static stwatch_path_segment segment_of(const stwatch_path *x, const stw_way_segment *s)
{
	const stw_spot at = stw_spots_get(&x->spots, s->spot), waiter = stw_spots_get(&x->spots, s->waiter_spot);
	stwatch_path_segment out = {
		.from_ns = s->from - x->told.first,
		.to_ns = s->to - x->told.first,
		.kind = (stwatch_path_kind)s->kind,
		.goroutine = s->g,
		.function = text(x, at.function),
		.file = text(x, at.file),
		.line = at.line,
		.leaf = text(x, at.leaf),
		.root = text(x, at.root),
		.what = text(x, s->what),
		.depth = s->depth,
		.waiter = s->waiter,
		.waiter_function = text(x, waiter.function),
		.waiter_what = text(x, s->waiter_what),
		.merged = s->merged,
	};
	if (s->kind == STWATCH_PATH_RUNNABLE)
		out.procs = (stwatch_path_procs){cause_of(&s->procs), s->procs.running_ns, s->procs.gc_ns, s->procs.syscall_ns,
			s->procs.idle_ns, name_or_null(x, s->procs.function), s->procs.function_ns};
	return out;
}

static bool word_segments(stwatch_path *x)
{
	if (!stw_vec_reserve(x->mem, &x->segments, x->ways.segments.count))
		return false;
	for (size_t i = x->ways.segments.count; i-- > 0;)
		x->segments.items[x->segments.count++] = segment_of(x, &x->ways.segments.items[i]);
	return true;
}

static int most_first(const void *x, const void *y)
{
	const stwatch_path_share *a = x, *b = y;
	if (a->total_ns != b->total_ns)
		return a->total_ns < b->total_ns ? 1 : -1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int order = strcmp(a->function, b->function);
	order = order ? order : strcmp(a->what, b->what);
	order = order ? order : strcmp(a->root, b->root);
	return order ? order : (int)b->own - (int)a->own;
}

static stwatch_path_share share_of(const stwatch_path *x, const stw_way_share *row)
{
	return (stwatch_path_share){
		.kind = (stwatch_path_kind)row->kind,
		.function = text(x, row->function),
		.root = text(x, row->root),
		.what = text(x, row->what),
		.goroutine = row->g,
		.own = row->own,
		.count = row->count,
		.total_ns = row->total,
		.max_ns = row->max,
	};
}

static bool word_shares(stwatch_path *x)
{
	const stw_way_shares *whole = &x->ways.whole, *all = &x->ways.all;
	if (!stw_vec_reserve(x->mem, &x->shares, whole->rows.count) || !stw_vec_reserve(x->mem, &x->all_shares, all->rows.count))
		return false;
	for (size_t i = 0; i < whole->rows.count; i++)
		x->shares.items[x->shares.count++] = share_of(x, &whole->rows.items[i]);
	for (size_t i = 0; i < all->rows.count; i++)
		x->all_shares.items[x->all_shares.count++] = share_of(x, &all->rows.items[i]);
	if (x->shares.count > 1)
		qsort(x->shares.items, x->shares.count, sizeof *x->shares.items, most_first);
	if (x->all_shares.count > 1)
		qsort(x->all_shares.items, x->all_shares.count, sizeof *x->all_shares.items, most_first);
	x->all.shares = x->all_shares.items;
	x->all.n_shares = x->all_shares.count;
	return true;
}

stwatch_path_span stw_path_span_of(const stwatch_path *x, const stw_chosen *s)
{
	return (stwatch_path_span){
		.name = text(x, s->name),
		.id = s->id,
		.from_ns = s->begin - x->told.first,
		.to_ns = s->end - x->told.first,
		.goroutine = s->g,
		.open_begin = s->open_begin,
		.open_end = s->open_end,
	};
}

static int by_subject(const void *x, const void *y)
{
	const stwatch_path_choice *a = x, *b = y;
	if (a->subject != b->subject)
		return a->subject < b->subject ? -1 : 1;
	if (a->total_ns != b->total_ns)
		return a->total_ns < b->total_ns ? 1 : -1;
	int order = strcmp(a->name, b->name);
	return order ? order : (a->id > b->id) - (a->id < b->id);
}

/* A goroutine's row from another part of the trace; NULL: there is none yet. */
static stwatch_path_choice *same_goroutine(const stwatch_path *x, const stw_choice *row)
{
	for (size_t i = x->listed.count; row->subject == STWATCH_PATH_GOROUTINE && i-- > 0;)
		if (x->listed.items[i].subject == STWATCH_PATH_GOROUTINE && x->listed.items[i].id == row->id)
			return &x->listed.items[i];
	return NULL;
}

bool stw_path_list(stwatch_path *x)
{
	const stw_choices *c = &x->choices;
	if (!stw_vec_reserve(x->mem, &x->listed, c->names.count + c->n_most))
		return false;
	for (size_t i = 0; i < c->names.count + c->n_most; i++) {
		const stw_choice *row = i < c->names.count ? &c->names.items[i] : &c->most[i - c->names.count];
		stwatch_path_choice *same = same_goroutine(x, row);
		if (same) {
			same->count += row->count;
			same->total_ns += row->total;
			same->max_ns = row->max > same->max_ns ? row->max : same->max_ns;
		} else {
			x->listed.items[x->listed.count++] = (stwatch_path_choice){
				(stwatch_path_subject)row->subject, text(x, row->name), row->id, row->count, row->total, row->max};
		}
	}
	if (x->listed.count > 1)
		qsort(x->listed.items, x->listed.count, sizeof *x->listed.items, by_subject);
	size_t kept = 0, of_subject = 0;
	for (size_t i = 0; i < x->listed.count; i++) {
		of_subject = i && x->listed.items[i].subject == x->listed.items[i - 1].subject ? of_subject + 1 : 0;
		if (of_subject < LISTED)
			x->listed.items[kept++] = x->listed.items[i];
	}
	x->listed.count = kept;
	return true;
}

static void limit(stwatch_path *x, const char *what)
{
	if (what && x->n_limits < STW_PATH_LIMITS_MAX)
		x->limits[x->n_limits++] = what;
}

static bool infers_timers(const stwatch_path *x)
{
	for (size_t i = 0; i < x->all_shares.count; i++)
		if (x->all_shares.items[i].kind == STWATCH_PATH_TIMER && strcmp(x->all_shares.items[i].what, "sleep") != 0)
			return true;
	return false;
}

static bool has_share(const stwatch_path *x, stwatch_path_kind kind)
{
	for (size_t i = 0; i < x->all_shares.count; i++)
		if (x->all_shares.items[i].kind == kind)
			return true;
	return false;
}

void stw_path_tell_limits(stwatch_path *x)
{
	limit(x, stw_word_gaps(&x->told.arena, x->told.n_gaps, x->told.gaps_ns));
	if (!x->has_chosen)
		return;
	if (x->chosen.open_begin)
		limit(x, "it began before the trace: what is shown is its part in the trace");
	if (x->chosen.open_end)
		limit(x, "it had not ended at the end of the trace: the path is that of the goroutine that began it");
	if (x->all.followed < x->all.count)
		limit(x,
			stw_arena_printf(&x->told.arena,
				"of %llu, the paths of %llu were followed, evenly spread by length: kinds and shares of all are theirs",
				(unsigned long long)x->all.count, (unsigned long long)x->all.followed));
	if (x->choices.left_out)
		limit(x, "there are more with the name than are kept: percentiles are of those that ended first");
	if (x->ways.least)
		limit(x, "short neighbouring stretches were put together; the sums are of all");
	if (infers_timers(x))
		limit(x, "a timer is inferred where a channel's waiter was woken by no goroutine");
	if (has_share(x, STWATCH_PATH_NETWORK))
		limit(x, "network waits are not followed to the other side: a trace does not say which connection they are for");
	if (has_share(x, STWATCH_PATH_WAITING))
		limit(x, "a wait that nobody ended before the trace did names nobody: a lock's holder shows when it lets go");
}

bool stw_path_word(stwatch_path *x)
{
	return word_segments(x) && word_shares(x);
}
