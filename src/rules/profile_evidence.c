/* Profiles beside a trace of the same run. A CPU profile tells what a goroutine did where the trace has no samples of it: busy in the
 * program's code, in the kernel, or not executing at all; mutex and block profiles tell how much was waited at a lock in all. Samples have no
 * times: what is told are sums and shares by function, never when. */
#include <string.h>

#include "rules/waits.h"
#include "sources/profile.h"

enum { FEW_SAMPLES = 20, PERIOD_NS = 10000000 };

static bool is_one_of(const char *rule, const char *const *rules)
{
	for (; *rules; rules++)
		if (strcmp(*rules, rule) == 0)
			return true;
	return false;
}

static const stwatch_evidence *step_of(const stw_found *f, const char *step)
{
	for (size_t i = 0; i < f->evidence.count; i++)
		if (strcmp(f->evidence.items[i].step, step) == 0)
			return &f->evidence.items[i];
	return NULL;
}

/* False where clocks show that the profile is of another time. */
static bool may_cover(const stw_case *c, const stw_profile *p)
{
	int64_t length = stw_gather_length(c->gather);
	if (!c->trace->has_wall || !p->time_unix_ns || !p->duration_ns)
		return true;
	return p->time_unix_ns < c->trace->wall_ns + length && p->time_unix_ns + p->duration_ns > c->trace->wall_ns;
}

static int64_t held_ns(const stw_found *f)
{
	int64_t sum = 0;
	for (size_t i = 0; i < f->occurrences.count; i++)
		sum += f->occurrences.items[i].duration_ns;
	return sum;
}

static const char *percent(stw_case *c, int64_t part, int64_t all)
{
	return stw_case_printf(c, "%.0f %%", all > 0 ? (double)part * 100 / (double)all : 0.0);
}

/* It executed: in which code, or in which system call. */
static void tell_executing(stw_case *c, stw_found *f, const stw_companion *from, const stw_profile_share *s)
{
	const bool kernel = s->call && s->call_weight * 2 > s->weight;
	const bool enough = s->weight * 2 >= held_ns(f);
	stwatch_evidence *e = stw_found_step_from(c, f, from, 0, STWATCH_UNKNOWN, "profile", "CPU profile",
		"the CPU profile has %s (%s of all) under %s, %s of it in %s%s%s", stw_case_ms(c, s->weight), percent(c, s->weight, s->all),
		f->culprit.function, percent(c, kernel ? s->call_weight : s->leaf_weight, s->weight),
		kernel            ? s->call
			: s->leaf ? s->leaf
				  : "its own code",
		!enough          ? ""
			: kernel ? ": it was busy, in the kernel"
				 : ": it was busy in the program's code, not held in the kernel",
		"; samples of a profile have no times");
	stw_found_value(c, e, "cpu_ns", s->weight);
	stw_found_value(c, e, "cpu_all_ns", s->all);
	stw_found_value(c, e, "cpu_kernel_ns", s->call_weight);
	if (s->leaf && s->leaf_weight * 2 >= s->weight && strcmp(s->leaf, f->culprit.function) != 0)
		f->culprit.leaf = s->leaf;
}

static void tell_not_executing(stw_case *c, stw_found *f, const stw_companion *from, const stw_profile_share *s)
{
	stwatch_evidence *e = stw_found_step_from(c, f, from, 0, STWATCH_UNKNOWN, "profile", "CPU profile",
		"of the CPU profile's %lld samples none is under %s, where %lld would be due had it executed: it was held in the kernel, "
		"or had no CPU",
		(long long)s->all_count, f->culprit.function, (long long)(held_ns(f) / PERIOD_NS));
	stw_found_value(c, e, "cpu_ns", 0);
	stw_found_value(c, e, "cpu_all_ns", s->all);
	f->f.confidence = STWATCH_POSSIBLE;
}

static void add_cpu(stw_case *c, stw_found *f, const stw_profile *p, const stw_companion *from)
{
	static const char *const RAN[] = {"stw-prolonged", "non-preemptible", NULL};
	const stw_profile_query query = {.function = f->culprit.function, .root = f->culprit.root, .passed_over = stw_is_library};
	stw_profile_share share;
	/* Samples in the trace have times, and are the same ones. */
	if (!is_one_of(f->f.rule, RAN) || !query.function || step_of(f, "sample") || (f->f.cause && strcmp(f->f.cause, "stop-work") == 0))
		return;
	if (!stw_profile_ask(p, c->mem, &query, &share))
		c->failed = true;
	else if (share.weight > 0)
		tell_executing(c, f, from, &share);
	else if (share.all_count >= FEW_SAMPLES && held_ns(f) >= 10 * (int64_t)PERIOD_NS)
		tell_not_executing(c, f, from, &share);
}

static void tell_waits(
	stw_case *c, stw_found *f, const stw_companion *from, const stw_profile *p, const stw_profile_query *query, const char *how)
{
	stw_profile_share share;
	if (!stw_profile_ask(p, c->mem, query, &share)) {
		c->failed = true;
		return;
	}
	if (share.count <= 0)
		return;
	const char *line = query->line ? stw_case_printf(c, ":%lld", (long long)query->line) : "";
	stwatch_evidence *e = stw_found_step_from(c, f, from, 0, STWATCH_UNKNOWN, "profile", p->words,
		"the %s has %lld waits %s %s%s, %s in all (%s of it)", p->words, (long long)share.count, how, query->function, line,
		stw_case_ms(c, share.weight), percent(c, share.weight, share.all));
	stw_found_value(c, e, "contentions", share.count);
	stw_found_value(c, e, "delay_ns", share.weight);
}

/* Waits are charged to who unlocks in a mutex profile, to who waits in a block profile. */
static void add_waits(stw_case *c, stw_found *f, const stw_profile *p, const stw_companion *from)
{
	static const char *const WAITED[] = {"lock-convoy", "goroutine-stuck-waiting", NULL};
	if (!is_one_of(f->f.rule, WAITED))
		return;
	if (p->kind == STW_PROFILE_MUTEX) {
		const stw_profile_query query = {.function = f->culprit.function};
		if (query.function)
			tell_waits(c, f, from, p, &query, "for locks that were released in");
		return;
	}
	const stwatch_evidence *blocked = step_of(f, "blocked");
	for (size_t i = 0; blocked && i < blocked->n_stack; i++) {
		const stwatch_frame *at = &blocked->stack[i];
		if (stw_is_library(at->function))
			continue;
		const stw_profile_query query = {.function = at->function, .line = (int64_t)at->line};
		tell_waits(c, f, from, p, &query, "at");
		return;
	}
}

static void judge(stw_case *c)
{
	if (!c->has_trace)
		return;
	for (size_t k = 0; k < c->companions->count; k++) {
		const stw_companion *from = c->companions->items[k];
		const stw_profile *p = stw_companion_profile(from);
		if (!p || !may_cover(c, p))
			continue;
		for (size_t i = 0; i < c->found.count; i++) {
			if (p->kind == STW_PROFILE_CPU)
				add_cpu(c, c->found.items[i], p, from);
			else if (p->kind == STW_PROFILE_MUTEX || p->kind == STW_PROFILE_BLOCK)
				add_waits(c, c->found.items[i], p, from);
		}
	}
}

const stw_rule stw_rule_profile_evidence = {"profiles as evidence", NULL, judge};
