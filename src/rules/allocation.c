/* Allocation that drives the collector so hard that the program's goroutines work for it instead of for themselves.
 * Marking, assists, collections and new goroutines are counted over any five seconds (or the whole trace, if it is shorter);
 * who allocates follows from the stacks of assists and of the allocations that made a collection begin. */
#include <string.h>

#include "analysis/mmu.h"
#include "rules/waits.h"

enum { MOST_GENERATIONS = 12, MOST_AUTHORS = 64, MIN_CYCLES = 3, SHORT_CYCLES = 10, GROWTH_CYCLES = 3 };
static const int64_t WINDOW_NS = 5000000000, SHORT_NS = 250000000, HEAP_MINIMUM = 4 << 20;

/* Consecutive rows of at least WINDOW_NS. */
typedef struct stretch {
	stw_load load;
	stwatch_severity severity; /* 0: nothing wrong */
} stretch;

/* A function that allocates, or starts goroutines. */
typedef struct author {
	const char *function;
	const stw_named_stack *stack; /* of its heaviest site */
	int64_t heaviest, assist_ns;
	uint64_t assists, triggers, created;
} author;

/* What the sites of a stretch say. */
typedef struct authors {
	author of_memory[MOST_AUTHORS], of_goroutines[MOST_AUTHORS];
	size_t n_memory, n_goroutines;
	author pooled, requested; /* what a pool's New allocates; collections asked for: of the function that has most */
	int64_t assist_ns;
	uint64_t triggers, pool_triggers, requests, created;
	int64_t pool_assist_ns;
} authors;

/* ---- how bad it is ---- */

static int64_t permille(int64_t part, int64_t whole)
{
	return whole > 0 ? part * 1000 / whole : 0;
}

static int64_t marking(const stw_load *l)
{
	return permille(l->mark_ns - l->mark_stopped_ns, l->to - l->from);
}

static int64_t assisting(const stw_load *l)
{
	return permille(l->assist_ns, l->run_ns);
}

static uint64_t a_second(uint64_t n, const stw_load *l)
{
	return l->to > l->from ? (uint64_t)((double)n * 1e9 / (double)(l->to - l->from)) : 0;
}

static bool is_churn(const stw_case *c, const stw_load *l)
{
	return a_second(l->gcs, l) >= (uint64_t)c->set[STW_SET_ALLOC_CYCLES] &&
		a_second(l->created, l) >= (uint64_t)c->set[STW_SET_ALLOC_GOROUTINES];
}

/* A heap that fills up for good collects each time that it has grown by GOGC percent, whatever the program does. */
static bool fills_up(const stw_load *l)
{
	uint64_t most = GROWTH_CYCLES;
	for (uint64_t live = l->live_first; live && live <= l->live / 2; live *= 2)
		most += 2;
	return l->live_first && l->live / 2 >= l->live_first && l->gcs <= most;
}

static stwatch_severity severity_of(const stw_case *c, const stw_load *l)
{
	int64_t mark = marking(l), assist = assisting(l);
	bool busy = mark >= c->set[STW_SET_ALLOC_MARK_WARN] && assist >= c->set[STW_SET_ALLOC_ASSIST_WARN],
	     debt = assist >= c->set[STW_SET_ALLOC_DEBT_WARN] && mark >= c->set[STW_SET_ALLOC_DEBT_MARK];
	uint64_t least = l->to - l->from < SHORT_NS ? SHORT_CYCLES : MIN_CYCLES; /* a few in a row are how a heap begins */
	if (l->gcs < least || fills_up(l) || (!busy && !debt && !is_churn(c, l)))
		return 0;
	bool hurts = (mark >= c->set[STW_SET_ALLOC_MARK_ERROR] && assist >= c->set[STW_SET_ALLOC_ASSIST_ERROR]) ||
		(debt && assist >= c->set[STW_SET_ALLOC_DEBT_ERROR]);
	return hurts ? STWATCH_ERROR : STWATCH_WARNING;
}

/* The stretch that begins with a row; false where the trace has not enough left for one. */
static bool stretch_at(const stw_case *c, size_t first, stretch *s)
{
	if (!stw_gather_window(c->gather, first, WINDOW_NS, &s->load))
		return false;
	s->severity = severity_of(c, &s->load);
	return true;
}

static bool is_worse(const stretch *a, const stretch *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	return marking(&a->load) + assisting(&a->load) > marking(&b->load) + assisting(&b->load);
}

static bool find_worst(const stw_case *c, stretch *worst)
{
	stretch s;
	*worst = (stretch){.severity = 0};
	for (size_t i = 0; i < c->gather->loads.count && stretch_at(c, i, &s); i++)
		if (s.severity && (!worst->severity || is_worse(&s, worst)))
			*worst = s;
	return worst->severity != 0;
}

/* ---- who allocates ---- */

static void want(stw_case *c)
{
	stretch s;
	if (!find_worst(c, &s))
		return;
	for (uint32_t i = 0; i < s.load.n_sites; i++) {
		const stw_load_site *site = &c->gather->sites.items[s.load.first_site + i];
		stw_places_want(&c->places, (stw_place){site->generation, site->site.stack});
	}
	for (uint32_t g = s.load.first_generation; g <= s.load.last_generation && g - s.load.first_generation < MOST_GENERATIONS; g++)
		stw_places_want_samples(&c->places, s.load.from, s.load.to, g);
}

/* The caller of a pool's Get where the pool had nothing and New allocates, if the pool is the program's own; else NULL. */
static const char *pool_user(const stw_named_stack *s)
{
	for (uint32_t i = 1; i + 1 < s->n; i++)
		if (strcmp(s->frames[i].function, "sync.(*Pool).Get") == 0)
			return stw_is_library(s->frames[i + 1].function) ? NULL : s->frames[i + 1].function;
	return NULL;
}

static bool has_frame(const stw_named_stack *s, const char *function)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (strcmp(s->frames[i].function, function) == 0)
			return true;
	return false;
}

bool stw_asks_for_collection(const stw_named_stack *s)
{
	return has_frame(s, "runtime.GC") || has_frame(s, "runtime/debug.FreeOSMemory") || has_frame(s, "runtime/debug.freeOSMemory") ||
		has_frame(s, "runtime/debug.SetGCPercent") || has_frame(s, "runtime/debug.setGCPercent");
}

static void add_to(author *a, const stw_alloc_site *site, const stw_named_stack *stack, int64_t weight)
{
	if (!a->stack || weight > a->heaviest) {
		a->heaviest = weight;
		a->stack = stack;
	}
	a->assist_ns += site->assist_ns;
	a->assists += site->assists;
	a->triggers += site->triggers;
	a->created += site->created;
}

static author *author_of(author *list, size_t *n, const char *function)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(list[i].function, function) == 0)
			return &list[i];
	if (*n == MOST_AUTHORS)
		return NULL;
	list[*n] = (author){.function = function};
	return &list[(*n)++];
}

static int64_t by_memory(const authors *all, const author *a)
{
	return permille(a->assist_ns, all->assist_ns) + permille((int64_t)a->triggers, (int64_t)all->triggers);
}

static void add_site(authors *all, const stw_alloc_site *site, const stw_named_stack *stack)
{
	if (stack->n == 0)
		return;
	const char *pool = pool_user(stack), *function = pool ? pool : stw_user_function(stack);
	author *a;
	if (!function)
		return;
	if (site->created && (a = author_of(all->of_goroutines, &all->n_goroutines, function)))
		add_to(a, site, stack, site->created);
	if (site->triggers && stw_asks_for_collection(stack)) {
		all->requests += site->triggers;
		all->requested.function = function;
		add_to(&all->requested, site, stack, site->triggers);
		return;
	}
	if (!site->assists && !site->assist_ns && !site->triggers)
		return;
	all->assist_ns += site->assist_ns;
	all->triggers += site->triggers;
	if (pool) {
		all->pool_assist_ns += site->assist_ns;
		all->pool_triggers += site->triggers;
		all->pooled.function = pool;
		add_to(&all->pooled, site, stack, site->assist_ns + (int64_t)site->triggers);
	}
	if ((a = author_of(all->of_memory, &all->n_memory, function)))
		add_to(a, site, stack, site->assist_ns + (int64_t)site->triggers);
}

static void find_authors(const stw_case *c, const stw_load *l, authors *all)
{
	for (uint32_t i = 0; i < l->n_sites; i++) {
		const stw_load_site *s = &c->gather->sites.items[l->first_site + i];
		add_site(all, &s->site, stw_places_stack(&c->places, (stw_place){s->generation, s->site.stack}));
	}
}

/* Rather one of the program's own than one that only library frames are known of, but not where that is next to nothing. */
static bool is_rather(const char *function, int64_t weight, const char *than, int64_t its)
{
	enum { SHARE = 4 };
	bool own = !stw_is_library(function), its_own = !stw_is_library(than);
	if (own == its_own)
		return weight > its;
	return own ? weight * SHARE >= its : weight > its * SHARE;
}

/* Whether stacks are missing of more than one function is known to allocate. */
static bool is_untold(const authors *all, const stw_load *l, const author *a)
{
	const int64_t assist_ns = l->assist_ns - all->assist_ns, triggers = (int64_t)l->gcs - (int64_t)(all->triggers + all->requests);
	return permille(a->assist_ns - assist_ns, l->assist_ns) + permille((int64_t)a->triggers - triggers, (int64_t)l->gcs) < 0;
}

/* The function that allocates most; NULL: none is known that allocates more than nobody knows who does. */
static const author *most_memory(const authors *all, const stw_load *l)
{
	const author *best = NULL;
	for (size_t i = 0; i < all->n_memory; i++) {
		const author *a = &all->of_memory[i];
		if (!best || is_rather(a->function, by_memory(all, a), best->function, by_memory(all, best)))
			best = a;
	}
	return best && is_untold(all, l, best) ? NULL : best;
}

static const author *most_goroutines(const authors *all)
{
	const author *best = NULL;
	for (size_t i = 0; i < all->n_goroutines; i++) {
		const author *a = &all->of_goroutines[i];
		if (!best || is_rather(a->function, (int64_t)a->created, best->function, (int64_t)best->created))
			best = a;
	}
	return best;
}

/* ---- why ---- */

typedef struct verdict {
	const char *cause, *words, *advice;
	const author *author;
	stwatch_confidence confidence;
} verdict;

static const char
	MEMORY_ADVICE[] = "allocate less in the culprit (reuse, preallocate, avoid pointers), raise GOGC or set GOMEMLIMIT; a heap profile "
			  "shows what is allocated";

static bool is_tight(const stw_load *l)
{
	return l->goal && l->base >= (uint64_t)HEAP_MINIMUM && l->goal < l->base + l->base / 3;
}

static verdict why(const stw_case *c, const stw_load *l, const authors *all)
{
	const author *memory = most_memory(all, l), *goroutines = most_goroutines(all);
	bool heavy = assisting(l) >= c->set[STW_SET_ALLOC_ASSIST_WARN] && marking(l) >= c->set[STW_SET_ALLOC_DEBT_MARK];
	if (all->requests * 2 > l->gcs)
		return (verdict){"requested-gc", "collections that the program asks for",
			"don't call runtime.GC or FreeOSMemory in a running service", &all->requested, STWATCH_CERTAIN};
	int64_t pool = by_memory(all, &(author){.assist_ns = all->pool_assist_ns, .triggers = all->pool_triggers});
	if (pool >= 600 && all->pool_triggers >= MIN_CYCLES)
		return (verdict){"pool-misuse", "a pool that has to make new objects",
			"put objects back on every path, and only those that are clean and of the usual size; a pool is emptied by every "
			"second "
			"collection (by each one before Go 1.13), so fewer collections keep it full",
			&all->pooled, STWATCH_POSSIBLE};
	if (is_churn(c, l) && !heavy)
		return (verdict){"goroutine-churn", "short-lived goroutines and garbage",
			"a fixed set of workers instead of a goroutine for each small piece of work", goroutines ? goroutines : memory,
			STWATCH_LIKELY};
	if (is_tight(l))
		return (verdict){"tight-heap-goal", "a heap goal hardly above the live heap",
			"raise GOGC (or give GOMEMLIMIT, since Go 1.19, room above the live heap): the goal decides how often it collects",
			memory, STWATCH_LIKELY};
	return (verdict){"allocation", "allocation", MEMORY_ADVICE, memory, STWATCH_LIKELY};
}

/* ---- telling ---- */

static const char *share(stw_case *c, int64_t thousandths)
{
	return stw_case_printf(c, "%lld.%lld %%", (long long)(thousandths / 10), (long long)(thousandths % 10));
}

static const char *mib(stw_case *c, uint64_t bytes)
{
	return stw_case_printf(c, "%.1f MiB", (double)bytes / (1 << 20));
}

/* Without the runtime's frames at its leaf but the last: they are the same for every allocation. */
static void show_stack(stwatch_evidence *e, const stw_named_stack *stack)
{
	uint32_t i = 0;
	while (i + 1 < stack->n && strncmp(stack->frames[i].function, "runtime.", 8) == 0 &&
		strncmp(stack->frames[i + 1].function, "runtime.", 8) == 0)
		i++;
	e->stack = stack->frames + i;
	e->n_stack = stack->n - i;
}

static void tell_collector(stw_case *c, stw_found *f, const stw_load *l)
{
	stwatch_evidence *e = stw_found_step(c, f, l->from, "collections", "GCBegin, GCEnd",
		"%llu collections in %s (%llu a second); marking took %s of the time", (unsigned long long)l->gcs,
		stw_case_ms(c, l->to - l->from), (unsigned long long)a_second(l->gcs, l), share(c, marking(l)));
	stw_found_value(c, e, "collections", (int64_t)l->gcs);
	stw_found_value(c, e, "marking_ns", l->mark_ns - l->mark_stopped_ns);
	if (l->gaps)
		stw_found_step(c, f, l->from, "between", "GCEnd, GCBegin",
			"the next one began %s after the last ended in the mean, %s at the least",
			stw_case_ms(c, l->between_ns / (int64_t)l->gaps), stw_case_ms(c, l->between_min_ns));
	e = stw_found_step(c, f, l->from, "assists", "GCMarkAssistBegin, GCMarkAssistEnd",
		"goroutines had to mark for %s of the %s that they ran (%s)", stw_case_ms(c, l->assist_ns), stw_case_ms(c, l->run_ns),
		share(c, assisting(l)));
	stw_found_value(c, e, "assist_ns", l->assist_ns);
	stw_found_value(c, e, "run_ns", l->run_ns);
	e = stw_found_step(c, f, l->from, "workers", "GoLabel",
		"mark workers: dedicated %s, fractional %s (%s at a stretch); idle ones, %s, not counted",
		stw_case_ms(c, l->worker_ns[STW_WORKER_DEDICATED]), stw_case_ms(c, l->worker_ns[STW_WORKER_FRACTIONAL]),
		stw_case_ms(c, l->fractional_max_ns), stw_case_ms(c, l->worker_ns[STW_WORKER_IDLE]));
	stw_found_value(c, e, "fractional_max_ns", l->fractional_max_ns);
	if (l->goal && l->base)
		stw_found_step(c, f, l->from, "heap", "HeapAlloc, HeapGoal",
			"the last collection began at %s, its goal was %s, when the one before had left %s live", mib(c, l->trigger),
			mib(c, l->goal), mib(c, l->base));
	stw_found_step(c, f, l->from, "utilisation", "STWBegin, GoLabel",
		"the program had %s of the worst 10 ms, %s of the worst 100 ms (stops and mark workers taken off; assists come on top)",
		share(c, (int64_t)(stw_mmu(c->gather, 10000000) * 1000)), share(c, (int64_t)(stw_mmu(c->gather, 100000000) * 1000)));
}

static void tell_author(stw_case *c, stw_found *f, const stw_load *l, const authors *all)
{
	const author *a = most_memory(all, l);
	if (!a)
		return;
	stwatch_evidence *e = stw_found_step(c, f, l->from + 1, "allocates", "GCMarkAssistBegin, GCBegin",
		"%s: %s of the time of all assists, and %llu of %llu collections began in an allocation of it", a->function,
		share(c, permille(a->assist_ns, l->assist_ns)), (unsigned long long)a->triggers, (unsigned long long)all->triggers);
	show_stack(e, a->stack);
	if (all->pool_triggers || all->pool_assist_ns) {
		e = stw_found_step(c, f, l->from + 2, "pool", "GCMarkAssistBegin, GCBegin",
			"sync.Pool had nothing to give to %s: New made an object in %llu of %llu allocations that began a collection, and "
			"in %s of the "
			"assists' time",
			all->pooled.function, (unsigned long long)all->pool_triggers, (unsigned long long)all->triggers,
			share(c, permille(all->pool_assist_ns, l->assist_ns)));
		show_stack(e, all->pooled.stack);
		stw_found_rules_out(c, f,
			"not known: whether objects are not put back, carry state or grow, or the collector emptied the pool (a "
			"trace has no Put)");
	}
	if (all->requests) {
		e = stw_found_step(c, f, l->from + 2, "asked", "GCBegin", "%llu of %llu collections were asked for by the program",
			(unsigned long long)all->requests, (unsigned long long)l->gcs);
		show_stack(e, all->requested.stack);
	}
}

static void tell_goroutines(stw_case *c, stw_found *f, const stw_load *l, const authors *all)
{
	const author *a = most_goroutines(all);
	if (!a || l->created < 100)
		return;
	const char *late = l->created_late ? stw_case_printf(c, "%llu waited 1 ms and more for their first run, %s at most",
						     (unsigned long long)l->created_late, stw_case_ms(c, l->created_max_ns))
					   : "none waited 1 ms for its first run";
	stwatch_evidence *e = stw_found_step(c, f, l->from + 3, "created", "GoCreate",
		"%llu goroutines were started (%llu a second), most by %s; %s", (unsigned long long)l->created,
		(unsigned long long)a_second(l->created, l), a->function, late);
	show_stack(e, a->stack);
	stw_found_value(c, e, "created", (int64_t)l->created);
	stw_found_value(c, e, "first_run_late", (int64_t)l->created_late);
	stw_found_value(c, e, "first_run_max_ns", l->created_max_ns);
}

static void tell_samples(stw_case *c, stw_found *f, const stw_load *l)
{
	unsigned n = 0, allocating = 0, assisted = 0, stacks = 0, pools = 0;
	for (size_t i = 0; i < c->places.samples.count; i++) {
		const stw_sample *s = &c->places.samples.items[i];
		if (s->at < l->from || s->at > l->to)
			continue;
		n++;
		bool assist = has_frame(&s->stack, "runtime.gcAssistAlloc");
		allocating += !assist && has_frame(&s->stack, "runtime.mallocgc");
		assisted += assist;
		stacks += has_frame(&s->stack, "runtime.malg");
		pools += has_frame(&s->stack, "sync.(*Pool).Get") || has_frame(&s->stack, "sync.(*Pool).Put");
	}
	if (!n)
		return;
	stwatch_evidence *e = stw_found_step(c, f, l->from + 4, "sample", "CPUSample",
		"of %u CPU samples %u are in assists, %u in the allocator, %u make stacks for new goroutines (runtime.malg), %u are in "
		"sync.Pool",
		n, assisted, allocating, stacks, pools);
	stw_found_value(c, e, "samples", n);
	stw_found_value(c, e, "samples_in_pool", pools);
	stw_found_value(c, e, "samples_in_malg", stacks);
}

/* Every stretch, joined where they overlap. */
static void add_occurrences(stw_case *c, stw_found *f)
{
	int64_t from = 0, to = STW_TIME_UNKNOWN;
	stretch s;
	for (size_t i = 0; i < c->gather->loads.count && stretch_at(c, i, &s); i++) {
		if (!s.severity)
			continue;
		if (to != STW_TIME_UNKNOWN && s.load.from > to) {
			stw_found_occurs(c, f, from, to, STWATCH_NONE, STWATCH_NONE);
			to = STW_TIME_UNKNOWN;
		}
		if (to == STW_TIME_UNKNOWN)
			from = s.load.from;
		to = s.load.to;
	}
	if (to != STW_TIME_UNKNOWN)
		stw_found_occurs(c, f, from, to, STWATCH_NONE, STWATCH_NONE);
}

/* Who assists works for the collector in the time of its own callers. */
static void add_victims(stw_case *c, stw_found *f, const stw_load *l)
{
	for (uint32_t i = 0; i < l->n_sites; i++) {
		const stw_load_site *s = &c->gather->sites.items[l->first_site + i];
		const stw_named_stack *stack = stw_places_stack(&c->places, (stw_place){s->generation, s->site.stack});
		const char *own = s->site.assist_ns && stack->n ? stw_own_function(stack, stack) : NULL;
		if (own)
			stw_found_harms(c, f, own, stw_root_function(stack), STWATCH_NONE, s->site.assist_ns);
	}
}

static void judge(stw_case *c)
{
	stretch s;
	bool fresh;
	if (!find_worst(c, &s))
		return;
	const stw_load *l = &s.load;
	authors *all = stw_arena_zalloc(&c->arena, sizeof *all);
	if (!all) {
		c->failed = true;
		return;
	}
	find_authors(c, l, all);
	verdict v = why(c, l, all);
	const char *culprit = v.author ? v.author->function : NULL;
	stw_found *f = stw_found_for(c, "allocation-starvation", v.cause, culprit, -1, &fresh);
	if (!f)
		return;
	f->f.severity = s.severity;
	f->f.confidence = v.confidence;
	if (culprit) {
		f->culprit.root = stw_root_function(v.author->stack);
		const char *leaf = stw_user_function(v.author->stack);
		f->culprit.leaf = leaf && strcmp(leaf, culprit) != 0 ? leaf : NULL;
		f->culprit.kind = "goroutine";
	}
	f->f.title = stw_case_printf(c, "%llu collections a second, marking %s of the time, assists %s of what goroutines ran: %s%s%s",
		(unsigned long long)a_second(l->gcs, l), share(c, marking(l)), share(c, assisting(l)), v.words, culprit ? ", most by " : "",
		culprit ? culprit : "");
	f->f.advice = v.advice;
	add_occurrences(c, f);
	add_victims(c, f, l);
	f->f.harm_ns = l->assist_ns;
	tell_collector(c, f, l);
	tell_author(c, f, l, all);
	tell_goroutines(c, f, l, all);
	tell_samples(c, f, l);
	if (l->live_first && l->live < l->live_first * 2)
		stw_found_rules_out(c, f, "a heap that only fills up: %s live after the first collection, %s after the last",
			mib(c, l->live_first), mib(c, l->live));
	if (!c->has_samples)
		stw_found_rules_out(
			c, f, "not known: what allocates between collections (no CPU samples in the trace); a heap profile tells");
}

const stw_rule stw_rule_allocation = {"allocation-starvation", want, judge};
