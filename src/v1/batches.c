#include "v1/batches.h"

#include "base/error.h"

/* What is lost may be whole batches of any proc: of each, between its last one before and its next one behind. Batches stand in file order, with that
 * marked where it is. */
static bool spread_losses(stw_v1_index *x)
{
	const size_t size = x->procs.count * sizeof(size_t);
	size_t losses = 0, *last = stw_mem_resize(x->mem, NULL, 0, size), *seen = stw_mem_zalloc(x->mem, size);
	for (size_t i = 0; last && seen && i < x->batches.count; i++) {
		const uint32_t proc = x->batches.items[i].proc;
		if (seen[proc] && seen[proc] != losses + 1)
			x->batches.items[last[proc]].lost = true;
		last[proc] = i;
		seen[proc] = losses + 1;
		losses += x->batches.items[i].lost;
	}
	for (size_t i = 0; last && seen && i < x->procs.count; i++)
		if (seen[i] && seen[i] != losses + 1)
			x->batches.items[last[i]].lost = true;
	const bool done = last && seen;
	stw_mem_free(x->mem, last, last ? size : 0);
	stw_mem_free(x->mem, seen, seen ? size : 0);
	return done;
}

/* Batches stand in file order; groups them by proc. */
static stwatch_status group(stw_v1_index *x, stwatch_error *error)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < x->procs.count; i++) {
		x->procs.items[i].first = sum;
		sum += x->procs.items[i].count;
		x->procs.items[i].count = 0;
	}
	if (sum == 0)
		return STWATCH_OK;
	size_t size = x->batches.capacity * sizeof *x->batches.items;
	stw_v1_batch *grouped = stw_mem_resize(x->mem, NULL, 0, size);
	if (!grouped)
		return stw_fail_memory(error);
	for (size_t i = 0; i < x->batches.count; i++) {
		stw_v1_proc *p = &x->procs.items[x->batches.items[i].proc];
		grouped[p->first + p->count++] = x->batches.items[i];
	}
	stw_mem_free(x->mem, x->batches.items, size);
	x->batches.items = grouped;
	return STWATCH_OK;
}

/* Buffers are written to the file in the order in which they were full, and what is left in them at the end by proc. So nothing that is missing is later
 * than when the first batch that is there was full: its proc's next one begins then. Where there is no next one it is one of those left at the end, and
 * those of the procs before it may be missing, whatever time they are of. */
static int64_t whole_from(const stw_v1_index *x, const stw_v1_batch *first)
{
	const stw_v1_proc *p = &x->procs.items[first->proc];
	int64_t latest = INT64_MIN;
	if (p->count > 1)
		return x->batches.items[p->first + 1].ticks;
	for (size_t i = 0; i < x->procs.count; i++) {
		const stw_v1_proc *other = &x->procs.items[i];
		if (other->count && x->batches.items[other->first].ticks > latest)
			latest = x->batches.items[other->first].ticks;
	}
	return p->id == 0 ? latest : INT64_MAX;
}

stwatch_status stw_v1_batches_settle(stw_v1_index *x, stwatch_error *error)
{
	const stw_v1_batch first = x->batches.count ? x->batches.items[0] : (stw_v1_batch){0};
	stwatch_status status = x->batches.count && !spread_losses(x) ? stw_fail_memory(error) : group(x, error);
	if (status == STWATCH_OK && x->midway && x->batches.count)
		x->whole_from = whole_from(x, &first);
	return status;
}
