#include "v2/resync.h"

#include <string.h>

#include "base/error.h"
#include "v2/sound.h"
#include "wire/header.h"

enum {
	WINDOW = 256 << 10,
	MOST_HEADS = 4, /* of a chain that are looked at */
	ENOUGH_BYTES = 24, /* of a chain: chance gives each less than one in three */
	ENOUGH_ALONE = 256, /* of a batch that nothing readable follows */
	ENOUGH_UNKNOWN = 512, /* where nothing is known of the trace */
	TIME_BITS = 38, /* batches lie so close in time: hours */
	GENERATIONS = 1 << 20, /* and in number */
	FEWEST_UNITS = 1 << 14, /* since the machine was started */
	WORK = 8, /* bytes that may be checked for each that is passed */
};

typedef struct finder {
	const stw_resync *r;
	uint64_t work, passed; /* bytes checked, bytes passed */
	uint8_t window[WINDOW], data[STW_V2_MAX_BATCH];
} finder;

bool stw_times_near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) >> TIME_BITS == 0;
}

static bool head_fits(const stw_resync *r, const stw_batch_head *h, const stw_batch_head *before)
{
	if (h->generation == 0 || h->time < FEWEST_UNITS || (h->m != UINT64_MAX && h->m >> 40) || h->size == 0 || h->experiment > 16)
		return false;
	if (before)
		return stw_times_near(h->time, before->time) && h->generation >= before->generation &&
			h->generation - before->generation <= 1;
	if (r->has_time && !stw_times_near(h->time, r->time))
		return false;
	return r->generation == 0 || (h->generation >= r->generation && h->generation - r->generation < GENERATIONS);
}

/* What a chain of batches says of the trace's version: the newest sign that it shows. */
static unsigned version_of(const stw_batch_head *h, unsigned known)
{
	unsigned shown = h->first == STW_EV_Sync ? STW_GO125 : h->experiment || h->first >= 128 ? STW_GO123 : STW_GO122;
	return shown > known ? shown : known;
}

/* The newest version's rules take what any version writes, but for the frequency: to Go 1.24 it is a table of its own. */
static stw_go_version rules(const stw_resync *r, const stw_batch_head *h)
{
	return r->version ? r->version : h->first == STW_EV_Frequency ? STW_GO122 : STW_GO126;
}

typedef struct chain {
	unsigned heads;
	uint64_t bytes; /* of their data, sound all of it */
	bool whole; /* it goes on to the end of the input, or of a generation, or to another header */
} chain;

/* True where the batch at `at` is sound; it is then read. *end: it is just the end of a generation; *status: a failure to read. */
static bool sound_at(finder *f, uint64_t at, const stw_batch_head *before, stw_batch_head *h, stwatch_status *status, stwatch_error *error)
{
	uint8_t bytes[STW_BATCH_HEAD_MAX];
	size_t got;
	const stw_source *source = f->r->source;
	*status = stw_source_read(source, at, bytes, sizeof bytes, &got, error);
	if (*status != STWATCH_OK || stw_batch_head_parse(h, bytes, got, at, source->size, NULL) != STWATCH_OK)
		return false;
	if (h->end_of_generation)
		return true;
	if (!head_fits(f->r, h, before))
		return false;
	f->work += h->size;
	*status = stw_source_read(source, at + h->head_size, f->data, h->size, &got, error);
	return *status == STWATCH_OK && got == h->size &&
		stw_sound_bytes(rules(f->r, h), f->r->guessed || !f->r->version, h, f->data) == h->size;
}

static bool is_header(const stw_source *source, uint64_t at, unsigned *minor)
{
	uint8_t bytes[STW_HEADER_SIZE];
	size_t got;
	stwatch_error ignored;
	return stw_source_read(source, at, bytes, sizeof bytes, &got, &ignored) == STWATCH_OK && got == sizeof bytes &&
		stw_header_parse(bytes, got, minor, NULL) == STWATCH_OK;
}

static stwatch_status follow(finder *f, uint64_t at, chain *c, stw_landing *landing, stwatch_error *error)
{
	stw_batch_head h, before = {0};
	stwatch_status status = STWATCH_OK;
	unsigned minor;
	*c = (chain){0};
	landing->minor = f->r->version;
	while (c->heads < MOST_HEADS) {
		if (at == f->r->source->size || (c->heads && is_header(f->r->source, at, &minor))) {
			c->whole = true;
			break;
		}
		if (!sound_at(f, at, c->heads ? &before : NULL, &h, &status, error) || (h.end_of_generation && c->heads == 0))
			break;
		if (h.end_of_generation) {
			if (!f->r->version)
				landing->minor = STW_GO126;
			at += h.head_size;
			continue;
		}
		if (c->heads++ == 0)
			landing->head = h;
		if (!f->r->version)
			landing->minor = version_of(&h, landing->minor);
		c->bytes += h.size;
		at += (uint64_t)h.head_size + h.size;
		before = h;
	}
	return status;
}

static bool convinces(const stw_resync *r, const chain *c)
{
	if (c->heads == 0)
		return false;
	if (!r->has_time)
		return c->bytes >= ENOUGH_UNKNOWN && (c->heads > 2 || (c->heads > 1 && c->whole));
	return c->heads > 1 ? c->bytes >= ENOUGH_BYTES : c->whole || c->bytes >= ENOUGH_ALONE;
}

static stwatch_status try_batch(finder *f, uint64_t at, const uint8_t *p, size_t got, stw_landing *landing, stwatch_error *error)
{
	stw_batch_head h;
	chain c;
	if (stw_batch_head_parse(&h, p, got, at, f->r->source->size, NULL) != STWATCH_OK || !head_fits(f->r, &h, NULL) ||
		f->work > WORK * f->passed + ((uint64_t)1 << 20))
		return STWATCH_END;
	stwatch_status status = follow(f, at, &c, landing, error);
	if (status != STWATCH_OK)
		return status;
	if (!convinces(f->r, &c))
		return STWATCH_END;
	landing->at = at;
	return STWATCH_OK;
}

static stwatch_status try_at(finder *f, uint64_t at, const uint8_t *p, size_t got, stw_landing *landing, stwatch_error *error)
{
	if (*p == STW_EV_EventBatch || *p == STW_EV_ExperimentalBatch)
		return try_batch(f, at, p, got, landing, error);
	if (*p == 'g' && got >= STW_HEADER_SIZE && stw_header_parse(p, STW_HEADER_SIZE, &landing->minor, NULL) == STWATCH_OK) {
		landing->header = true;
		landing->at = at;
		return STWATCH_OK;
	}
	return STWATCH_END;
}

static stwatch_status find(finder *f, uint64_t from, uint64_t limit, stw_landing *landing, stwatch_error *error)
{
	while (from < limit) {
		size_t got;
		stwatch_status status = stw_source_read(f->r->source, from, f->window, sizeof f->window, &got, error);
		if (status != STWATCH_OK || got == 0)
			return status;
		if (f->r->cancel && *f->r->cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		size_t n = got < sizeof f->window ? got : got - STW_BATCH_HEAD_MAX;
		for (size_t i = 0; i < n && from + i < limit; i++) {
			f->passed++;
			status = try_at(f, from + i, f->window + i, got - i, landing, error);
			if (status != STWATCH_END)
				return status;
		}
		from += n;
	}
	return STWATCH_OK;
}

stwatch_status stw_resync_find(
	const stw_resync *resync, stw_mem *mem, uint64_t from, uint64_t limit, stw_landing *landing, stwatch_error *error)
{
	finder *f = stw_mem_zalloc(mem, sizeof *f);
	*landing = (stw_landing){.at = resync->source->size};
	if (!f)
		return stw_fail_memory(error);
	f->r = resync;
	stwatch_status status = find(f, from, limit < resync->source->size ? limit : resync->source->size, landing, error);
	if (status == STWATCH_OK && landing->at == resync->source->size)
		landing->header = false;
	stw_mem_free(mem, f, sizeof *f);
	return status;
}
