#include "v1/parts.h"

#include <string.h>

#include "base/error.h"
#include "v1/resync.h"

enum {
	LEAST = 32 << 10, /* bytes of a part: half a batch */
	MOST = 1 << 20, /* ends of system calls of so many bytes fit into memory (exits.h) */
	SHARE = 64, /* parts of a trace of a usual size */
	FEWEST = 4,
};

uint64_t stw_v1_parts_end(const stw_v1_parts *parts, uint64_t part)
{
	return part + 1 == parts->n ? UINT64_MAX : parts->begin + (part + 1) * parts->chunk;
}

/* The first batch that seems to begin in a part. False: none does. */
static bool guess(const stw_v1_parts *parts, uint64_t i, stw_v1_part *part)
{
	const uint64_t from = parts->begin + i * parts->chunk, end = from + parts->chunk;
	stw_source source = *parts->of->source;
	const stw_v1_resync resync = {.source = &source, .format = &parts->of->index->format, .cancel = parts->of->cancel};
	bool header;
	part->begin = from;
	if (i == 0)
		return true;
	source.size = end < source.size ? end : source.size;
	return stw_v1_resync_find(&resync, from - 1, &part->begin, &header, &part->error) == STWATCH_OK && !header &&
		part->begin < source.size;
}

static void skim_part(const stw_v1_parts *parts, uint64_t i, stw_v1_part *part)
{
	stw_v1_index *x = &part->index;
	stw_v1_skimmer *s = part->skimmer;
	part->usable = false;
	memset(x, 0, sizeof *x);
	x->mem = parts->mem;
	x->end_ticks = INT64_MIN;
	x->format = parts->of->index->format;
	stw_arena_init(&x->arena, x->mem);
	stw_v1_exits_init(&x->exits, x->mem);
	if (!guess(parts, i, part))
		return;
	stw_v1_skim_open(s, x, parts->of->source, parts->of->cancel, &part->error);
	s->stop_at = stw_v1_parts_end(parts, i);
	s->give_up_at = parts->begin + (i + 2) * parts->chunk;
	stw_v1_skim_move_later(s, part->begin);
	const stwatch_status status = stw_v1_skim_on(s);
	part->end = stw_v1_skim_offset(s, s->p);
	part->usable = status == STWATCH_OK || status == STWATCH_END || (status == STWATCH_ERR_DAMAGED && s->fault.status == status);
	part->whole = status == STWATCH_OK || (status == STWATCH_END && s->stopped);
	stw_v1_skim_close(s);
}

static void *work(void *user)
{
	stw_v1_parts *parts = user;
	pthread_mutex_lock(&parts->lock);
	while (!parts->stop && parts->next < parts->n) {
		if (parts->next >= parts->taken + parts->n_slots) {
			pthread_cond_wait(&parts->changed, &parts->lock);
			continue;
		}
		const uint64_t i = parts->next++;
		stw_v1_part *part = &parts->slots[i % parts->n_slots];
		pthread_mutex_unlock(&parts->lock);
		skim_part(parts, i, part);
		pthread_mutex_lock(&parts->lock);
		part->ready = true;
		pthread_cond_broadcast(&parts->changed);
	}
	pthread_mutex_unlock(&parts->lock);
	return NULL;
}

static bool make_slots(stw_v1_parts *parts)
{
	parts->slots = stw_mem_zalloc(parts->mem, parts->n_slots * sizeof *parts->slots);
	for (unsigned i = 0; parts->slots && i < parts->n_slots; i++)
		if (!(parts->slots[i].skimmer = stw_mem_zalloc(parts->mem, sizeof *parts->slots[i].skimmer)))
			return false;
	return parts->slots != NULL;
}

static void free_slots(stw_v1_parts *parts)
{
	for (unsigned i = 0; parts->slots && i < parts->n_slots; i++) {
		stw_v1_part *part = &parts->slots[i];
		stw_v1_index_free(&part->index);
		stw_mem_free(parts->mem, part->skimmer, part->skimmer ? sizeof *part->skimmer : 0);
	}
	stw_mem_free(parts->mem, parts->slots, parts->slots ? parts->n_slots * sizeof *parts->slots : 0);
}

bool stw_v1_parts_open(stw_v1_parts *parts, const stw_v1_skimmer *of, unsigned threads)
{
	const uint64_t begin = of->index->begin, end = of->source->size, size = end > begin ? end - begin : 0, share = size / SHARE;
	const uint64_t chunk = share < LEAST ? LEAST : share > MOST ? MOST : share, n = size / chunk;
	if (of->index->format.minor < 7 || n < FEWEST)
		return false;
	*parts = (stw_v1_parts){.mem = of->index->mem, .of = of, .begin = begin, .chunk = chunk, .n = n};
	parts->n_threads = threads < STW_V1_PARTS_THREADS ? threads : STW_V1_PARTS_THREADS;
	parts->n_slots = parts->n_threads + 2;
	if (!make_slots(parts)) {
		free_slots(parts);
		return false;
	}
	pthread_mutex_init(&parts->lock, NULL);
	pthread_cond_init(&parts->changed, NULL);
	unsigned running = 0;
	while (running < parts->n_threads && pthread_create(&parts->ids[running], NULL, work, parts) == 0)
		running++;
	parts->n_threads = running;
	if (running)
		return true;
	stw_v1_parts_close(parts);
	return false;
}

void stw_v1_parts_close(stw_v1_parts *parts)
{
	pthread_mutex_lock(&parts->lock);
	parts->stop = true;
	pthread_cond_broadcast(&parts->changed);
	pthread_mutex_unlock(&parts->lock);
	for (unsigned i = 0; i < parts->n_threads; i++)
		pthread_join(parts->ids[i], NULL);
	pthread_cond_destroy(&parts->changed);
	pthread_mutex_destroy(&parts->lock);
	free_slots(parts);
}

/* ---- handing over ---- */

static bool add_batches(stw_v1_skimmer *to, const stw_v1_part *part)
{
	stw_v1_index *x = to->index;
	const stw_v1_index *y = &part->index;
	uint32_t *procs = stw_mem_resize(x->mem, NULL, 0, (y->procs.count + 1) * sizeof *procs);
	bool ok = procs && stw_vec_reserve(x->mem, &x->batches, y->batches.count);
	for (size_t i = 0; ok && i < y->procs.count; i++) {
		procs[i] = stw_v1_skim_proc(to, (uint64_t)y->procs.items[i].id);
		ok = procs[i] != UINT32_MAX;
	}
	for (size_t i = 0; ok && i < y->batches.count; i++) {
		stw_v1_batch batch = y->batches.items[i];
		batch.proc = procs[batch.proc];
		x->procs.items[batch.proc].count++;
		x->batches.items[x->batches.count++] = batch;
	}
	stw_mem_free(x->mem, procs, procs ? (y->procs.count + 1) * sizeof *procs : 0);
	return ok;
}

static bool add_rest(stw_v1_skimmer *to, const stw_v1_part *part)
{
	stw_v1_index *x = to->index;
	const stw_v1_index *y = &part->index;
	if (x->stacks.count && y->end_ticks > x->end_ticks) /* there are tables before */
		x->end_ticks = y->end_ticks;
	if (!stw_vec_reserve(x->mem, &x->samples, y->samples.count))
		return false;
	for (size_t i = 0; i < y->samples.count; i++)
		x->samples.items[x->samples.count++] = y->samples.items[i];
	return true;
}

static stwatch_status add_exits(stw_v1_skimmer *to, const stw_v1_part *part)
{
	stwatch_status status = STWATCH_OK;
	for (size_t i = 0; i < part->index.exits.items.count && status == STWATCH_OK; i++)
		status = stw_v1_exits_add(&to->index->exits, part->index.exits.items.items[i], to->error);
	return status;
}

/* As if the skimmer had gone through it. */
static stwatch_status add(stw_v1_skimmer *to, const stw_v1_part *part)
{
	stw_v1_skim_close_batch(to, part->begin, false);
	if (!add_batches(to, part) || !add_rest(to, part))
		return stw_fail_memory(to->error);
	to->batch = part->skimmer->batch == UINT32_MAX ? UINT32_MAX : (uint32_t)to->index->batches.count - 1;
	to->fresh = part->skimmer->fresh;
	stw_v1_skim_move_later(to, part->end);
	stw_source_tell(to->source, part->end);
	return add_exits(to, part);
}

stwatch_status stw_v1_parts_take(stw_v1_parts *parts, uint64_t i, stw_v1_skimmer *to, bool *whole)
{
	stw_v1_part *part = &parts->slots[i % parts->n_slots];
	stwatch_status status = STWATCH_OK;
	pthread_mutex_lock(&parts->lock);
	while (!part->ready)
		pthread_cond_wait(&parts->changed, &parts->lock);
	pthread_mutex_unlock(&parts->lock);
	*whole = false;
	if (part->usable && part->begin == stw_v1_skim_offset(to, to->p) && !(to->cancel && *to->cancel) &&
		part->index.batches.count < UINT32_MAX - 1 - to->index->batches.count) {
		status = add(to, part);
		*whole = part->whole;
	}
	stw_v1_index_free(&part->index);
	pthread_mutex_lock(&parts->lock);
	part->ready = false;
	parts->taken = i + 1;
	pthread_cond_broadcast(&parts->changed);
	pthread_mutex_unlock(&parts->lock);
	return status;
}
