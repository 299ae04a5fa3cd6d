/* What `stat` says of a profile: what it is, and the functions with the most. */
#include <stdlib.h>
#include <string.h>

#include "sources/profile.h"

enum { TOP = 20 };

typedef struct row {
	const char *function;
	int64_t flat, cum, count;
	size_t last; /* the sample (from 1) that was counted last: recursion counts once */
} row;

static stwatch_quantity quantity_of(const char *unit)
{
	return strcmp(unit, "nanoseconds") == 0 ? STWATCH_NS : strcmp(unit, "bytes") == 0 ? STWATCH_BYTES : STWATCH_COUNT;
}

static int most_first(const void *x, const void *y)
{
	const row *a = x, *b = y;
	if (a->flat != b->flat)
		return a->flat < b->flat ? 1 : -1;
	if (a->cum != b->cum)
		return a->cum < b->cum ? 1 : -1;
	return strcmp(a->function, b->function);
}

static void add_sample(const stw_profile *p, size_t index, row *rows)
{
	const stw_profile_sample *s = &p->samples[index];
	int64_t weight = s->values[p->weight], count = p->count < p->n_types ? s->values[p->count] : 0;
	stw_profile_walk walk = {0};
	bool leaf = true;
	for (const stw_profile_frame *f; (f = stw_profile_next(p, s, &walk)) != NULL; leaf = false) {
		row *r = &rows[f->function];
		if (leaf)
			r->flat += weight;
		if (r->last == index + 1)
			continue;
		r->last = index + 1;
		r->cum += weight;
		r->count += count;
	}
}

static int64_t permille(int64_t part, int64_t all)
{
	return all > 0 ? (int64_t)((double)part * 1000 / (double)all + 0.5) : STWATCH_UNKNOWN;
}

static bool fill_table(stw_companion *c, const stw_profile *p, row *rows, int64_t all)
{
	static const stwatch_column NS[] = {{"flat_ns", "flat", STWATCH_NS}, {"flat_permille", "", STWATCH_PERMILLE},
		{"cum_ns", "cumulative", STWATCH_NS}, {"count", "count", STWATCH_COUNT}, {"function", "function", STWATCH_TEXT}};
	static const stwatch_column BYTES[] = {{"flat_bytes", "flat", STWATCH_BYTES}, {"flat_permille", "", STWATCH_PERMILLE},
		{"cum_bytes", "cumulative", STWATCH_BYTES}, {"count", "count", STWATCH_COUNT}, {"function", "function", STWATCH_TEXT}};
	static const stwatch_column COUNT[] = {{"flat", "flat", STWATCH_COUNT}, {"flat_permille", "", STWATCH_PERMILLE},
		{"cum", "cumulative", STWATCH_COUNT}, {"count", "count", STWATCH_COUNT}, {"function", "function", STWATCH_TEXT}};
	enum { COLUMNS = sizeof NS / sizeof *NS };
	stwatch_quantity quantity = quantity_of(p->types[p->weight].unit);
	const stwatch_column *columns = quantity == STWATCH_NS ? NS : quantity == STWATCH_BYTES ? BYTES : COUNT;
	size_t n = p->n_functions, shown = 0;
	qsort(rows, n, sizeof *rows, most_first);
	while (n > 0 && rows[n - 1].cum == 0 && rows[n - 1].flat == 0)
		n--;
	shown = n < TOP ? n : TOP;
	stwatch_cell *cell = stw_companion_table(c, "functions", "functions", columns, COLUMNS, shown, n - shown);
	for (size_t i = 0; cell && i < shown; i++, cell += COLUMNS) {
		cell[0].number = rows[i].flat;
		cell[1].number = permille(rows[i].flat, all);
		cell[2].number = rows[i].cum;
		cell[3].number = rows[i].count;
		cell[4].text = *rows[i].function ? rows[i].function : "(unknown)";
	}
	return cell != NULL;
}

static bool functions(stw_companion *c, const stw_profile *p, int64_t all)
{
	size_t size = (p->n_functions + 1) * sizeof(row);
	row *rows = stw_mem_zalloc(c->mem, size);
	if (!rows)
		return false;
	for (size_t i = 0; i < p->n_functions; i++)
		rows[i].function = p->functions[i].name;
	for (size_t i = 0; i < p->n_samples; i++)
		add_sample(p, i, rows);
	bool ok = fill_table(c, p, rows, all);
	stw_mem_free(c->mem, rows, size);
	return ok;
}

/* The sums of all types, each under its own name: "delay_ns". */
static bool sums(stw_companion *c, const stw_profile *p)
{
	static const char *const SUFFIX[] = {[STWATCH_NS] = "_ns", [STWATCH_BYTES] = "_bytes", [STWATCH_COUNT] = ""};
	for (size_t t = 0; t < p->n_types; t++) {
		int64_t sum = 0;
		for (size_t i = 0; i < p->n_samples; i++)
			sum += p->samples[i].values[t];
		stwatch_quantity quantity = quantity_of(p->types[t].unit);
		const char *name = stw_arena_printf(&c->arena, "total_%s%s", p->types[t].type, SUFFIX[quantity]);
		if (!name || !stw_companion_number(c, name, p->types[t].type, quantity, sum))
			return false;
	}
	return true;
}

bool stw_profile_describe(stw_companion *c)
{
	const stw_profile *p = stw_companion_profile(c);
	const char *period = strcmp(p->period_type.unit, "nanoseconds") == 0 ? "period_ns" : "period";
	int64_t all = 0;
	bool ok = stw_companion_text(c, "type", "type", p->words) &&
		stw_companion_number(c, p->kind == STW_PROFILE_CPU ? "start_time" : "time",
			p->kind == STW_PROFILE_CPU ? "started" : "taken", STWATCH_WALL_NS,
			p->time_unix_ns ? p->time_unix_ns : STWATCH_UNKNOWN) &&
		stw_companion_number(c, period, "period", quantity_of(p->period_type.unit), p->period ? p->period : STWATCH_UNKNOWN) &&
		stw_companion_number(c, "stacks", "stacks", STWATCH_COUNT, (int64_t)p->n_samples) && sums(c, p);
	for (size_t i = 0; p->weight < p->n_types && i < p->n_samples; i++)
		all += p->samples[i].values[p->weight];
	return ok && (p->weight == p->n_types || functions(c, p, all));
}
