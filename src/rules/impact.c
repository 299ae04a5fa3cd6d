/* What a finding cost others in turn: who waited for a goroutine that was held up, and who waited for that one, up to requests,
 * tasks and regions. An edge of the graph is a wait and who ended it; it counts for as long as both were held up, and only up
 * to the next wait of the one who ended it: what came after that is not this delay's doing. */
#include "rules/impact.h"

#include <stdlib.h>
#include <string.h>

#include "rules/queues.h"
#include "rules/waits.h"

enum { MOST_SEEDS = 256, MOST_NODES = 2048, MOST_HOPS = 8, LEAST_NS = 1000000, IDLE_BLOCKS = 2 };

/* Rules whose occurrences say when a goroutine could not go on. */
static bool holds_up(const char *rule)
{
	static const char *const rules[] = {
		"goroutine-starved",
		"proc-idle-with-backlog",
		"goroutine-stuck-waiting",
		"goroutine-stuck-syscall",
		"lock-convoy",
		"netpoll-imbalance",
	};
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (strcmp(rules[i], rule) == 0)
			return true;
	return false;
}

/* A goroutine that could not go on within [from, to), and did so at `resumed`. */
typedef struct delay {
	int64_t g, from, to, resumed;
	unsigned hops;
} delay;

typedef struct graph {
	const stw_candidate **ended; /* waits for others that somebody ended, by who did and when */
	size_t n;
	stw_map seen; /* waits that are counted already, by address */
	delay nodes[MOST_NODES];
	size_t n_nodes;
} graph;

static int by_waker(const void *x, const void *y)
{
	const stw_candidate *a = *(const stw_candidate *const *)x, *b = *(const stw_candidate *const *)y;
	if (a->waker != b->waker)
		return a->waker < b->waker ? -1 : 1;
	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return a->g < b->g ? -1 : a->g > b->g;
}

static bool collect(stw_case *c, graph *x)
{
	const stw_candidates *lists[] = {&c->gather->lock_waits, &c->gather->peer_waits};
	x->ended = stw_arena_alloc(&c->arena, (lists[0]->count + lists[1]->count + 1) * sizeof *x->ended);
	if (!x->ended)
		return false;
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < lists[i]->count; k++)
			if (!lists[i]->items[k].open && lists[i]->items[k].waker >= 0)
				x->ended[x->n++] = &lists[i]->items[k];
	if (x->n > 1)
		qsort(x->ended, x->n, sizeof *x->ended, by_waker);
	return true;
}

/* Index of the first wait that a goroutine ended at that time or later. */
static size_t first_ended(const graph *x, int64_t waker, int64_t from)
{
	size_t low = 0, high = x->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const stw_candidate *w = x->ended[mid];
		if (w->waker < waker || (w->waker == waker && w->to < from))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* When it next waited for something of its own. */
static int64_t next_wait(const stw_case *c, int64_t g, int64_t after)
{
	for (size_t i = stw_stays_from(c->queues, g, after); i < c->queues->n_stays && c->queues->stays[i]->g == g; i++) {
		const stw_candidate *s = c->queues->stays[i];
		if (s->state == STW_GO_WAITING && s->from >= after && !stw_is_lock_wait(stw_places_stack(&c->places, s->stack)))
			return s->from;
	}
	return INT64_MAX;
}

/* ---- whom it reached ---- */

/* Goroutines that servers of the usual libraries start for each connection or request. */
static bool serves_requests(const char *root)
{
	static const char *const roots[] = {
		"net/http.(*conn).serve",
		"net/http.(*http2serverConn).runHandler",
		"golang.org/x/net/http2.(*serverConn).runHandler",
		"google.golang.org/grpc.(*Server).serveStreams.func",
		"google.golang.org/grpc.(*Server).handleStream",
		"net/rpc.(*service).call",
	};
	for (size_t i = 0; root && i < sizeof roots / sizeof *roots; i++)
		if (strncmp(root, roots[i], strlen(roots[i])) == 0)
			return true;
	return false;
}

/* The handler of a request: the program's outermost function on its stack. */
static const char *handler_of(const stw_named_stack *at)
{
	for (uint32_t i = at->n; i-- > 0;)
		if (!stw_is_library(at->frames[i].function) && strncmp(at->frames[i].function, "golang.org/x/", 13) != 0 &&
			strncmp(at->frames[i].function, "google.golang.org/grpc", 22) != 0)
			return at->frames[i].function;
	return NULL;
}

/* The request that a wait, or another stay, is a part of; NULL: none. */
static const char *request_of(const stw_case *c, const stw_candidate *s)
{
	const stw_named_stack *at = stw_places_stack(&c->places, s->stack), *root = stw_places_stack(&c->places, s->root);
	return serves_requests(stw_root_function(at)) || serves_requests(stw_root_function(root)) ? handler_of(at) : NULL;
}

static void reach(stw_case *c, stw_found *f, const stw_candidate *s, int64_t ns)
{
	const char *handler = request_of(c, s);
	if (handler)
		stw_found_reaches(c, f, "request", handler, ns);
}

/* ---- following ---- */

/* Idle receivers lose nothing; one that hardly ever waits, the program's main and a request's own goroutine do. */
static bool is_harmed(const stw_case *c, const stw_candidate *w)
{
	const char *root = stw_root_function(stw_places_stack(&c->places, w->root));
	if (w->wait == STW_WAIT_SYNC || w->wait == STW_WAIT_SEND)
		return true;
	return w->blocks <= IDLE_BLOCKS || serves_requests(root) || (root && strcmp(root, "main.main") == 0) ||
		(root && strcmp(root, "runtime.main") == 0);
}

static bool is_new(stw_case *c, graph *x, const stw_candidate *w)
{
	if (stw_map_get(&x->seen, (uint64_t)(uintptr_t)w) != STW_MAP_NONE)
		return false;
	if (!stw_map_put(&x->seen, (uint64_t)(uintptr_t)w, 1))
		c->failed = true;
	return true;
}

static void follow(stw_case *c, stw_found *f, graph *x, const delay *d)
{
	int64_t limit = next_wait(c, d->g, d->resumed);
	for (size_t i = first_ended(x, d->g, d->resumed); i < x->n; i++) {
		const stw_candidate *w = x->ended[i];
		if (w->waker != d->g || w->to > limit)
			break;
		int64_t part = stw_overlap(w->from, w->to, d->from, d->to);
		if (part < LEAST_NS || w->g == d->g || w->gc_worker || !is_new(c, x, w))
			continue;
		const stw_named_stack *at = stw_places_stack(&c->places, w->stack), *root = stw_places_stack(&c->places, w->root);
		if (stw_is_runtimes(root))
			continue;
		const char *victim = stw_user_function(at);
		/* the rule has counted those itself */
		bool told = d->hops == 0 && strcmp(f->f.rule, "goroutine-stuck-syscall") == 0 && stw_is_lock_wait(at);
		if (!told && victim && is_harmed(c, w))
			stw_found_harms(c, f, victim, stw_root_function(root), w->g, part);
		if (is_harmed(c, w))
			reach(c, f, w, part);
		if (d->hops < MOST_HOPS && x->n_nodes < MOST_NODES)
			x->nodes[x->n_nodes++] = (delay){
				w->g, w->from > d->from ? w->from : d->from, w->to < d->to ? w->to : d->to, w->to, d->hops + 1};
	}
}

static int longest_first(const void *x, const void *y)
{
	const stwatch_occurrence *a = x, *b = y;
	if (a->duration_ns != b->duration_ns)
		return a->duration_ns < b->duration_ns ? 1 : -1;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return a->goroutine < b->goroutine ? -1 : a->goroutine > b->goroutine;
}

static const stw_candidate *stay_at(const stw_case *c, int64_t g, int64_t from)
{
	size_t i = stw_stays_from(c->queues, g, from);
	return i < c->queues->n_stays && c->queues->stays[i]->g == g ? c->queues->stays[i] : NULL;
}

static void follow_all(stw_case *c, stw_found *f, graph *x)
{
	size_t n = f->occurrences.count;
	stw_map_clear(&x->seen);
	x->n_nodes = 0;
	if (n > 1)
		qsort(f->occurrences.items, n, sizeof *f->occurrences.items, longest_first);
	for (size_t i = 0; i < n; i++) { /* those are counted by the rule */
		const stwatch_occurrence *o = &f->occurrences.items[i];
		const stw_candidate *s = o->goroutine >= 0 ? stay_at(c, o->goroutine, o->start_ns + c->start) : NULL;
		if (!s || !is_new(c, x, s))
			continue;
		reach(c, f, s, o->duration_ns);
		if (i < MOST_SEEDS && o->duration_ns >= LEAST_NS)
			x->nodes[x->n_nodes++] = (delay){o->goroutine, o->start_ns + c->start, o->start_ns + o->duration_ns + c->start,
				o->start_ns + o->duration_ns + c->start, 0};
	}
	for (size_t i = 0; i < x->n_nodes; i++) {
		delay d = x->nodes[i];
		follow(c, f, x, &d);
	}
}

void stw_impact_follow(stw_case *c)
{
	graph *x = c->queues && c->found.count ? stw_arena_zalloc(&c->arena, sizeof *x) : NULL;
	if (!x)
		return;
	stw_map_init(&x->seen, c->mem);
	if (!collect(c, x))
		c->failed = true;
	for (size_t i = 0; i < c->found.count && !c->failed; i++)
		if (holds_up(c->found.items[i]->f.rule))
			follow_all(c, c->found.items[i], x);
	stw_map_free(&x->seen);
}
