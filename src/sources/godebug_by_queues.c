#include "sources/godebug_place.h"

static const int64_t MS = 1000000;

/* The least and the most that were runnable in the 10 ms around a time. */
static bool runnable_at(const stw_gather *a, int64_t t, int64_t *least, int64_t *most)
{
	int64_t from = (t - STW_SLOT_NS) / STW_SLOT_NS, to = (t + STW_SLOT_NS) / STW_SLOT_NS;
	size_t low = 0, high = a->backlog.count;
	while (low < high) { /* the first slot after from */
		size_t mid = low + (high - low) / 2;
		if (a->backlog.items[mid].slot <= from)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return false;
	*least = a->backlog.items[low - 1].min;
	*most = a->backlog.items[low - 1].max;
	for (; low < a->backlog.count && a->backlog.items[low].slot <= to; low++) {
		*least = a->backlog.items[low].min < *least ? a->backlog.items[low].min : *least;
		*most = a->backlog.items[low].max > *most ? a->backlog.items[low].max : *most;
	}
	return true;
}

/* The first sample at a time or later. */
static size_t sample_from(const stw_run_lines *l, int64_t at)
{
	size_t low = 0, high = l->n_samples;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (l->samples[mid].at_ns < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Whether all samples within the trace agree; how many of these tell something: more is queued than chance gives. The one that each P
 * runs next stands in no queue (runnext). */
static bool queues_agree(const stw_gather *a, const stw_run_lines *l, int64_t zero, size_t *telling)
{
	*telling = 0;
	for (size_t i = sample_from(l, a->first_time + (int64_t)2 * STW_SLOT_NS - zero); i < l->n_samples; i++) {
		const stw_sched_sample *s = &l->samples[i];
		int64_t t = zero + s->at_ns, least, most, n = (int64_t)stw_sched_queued(s), slack = (int64_t)s->procs + 2;
		if (t > a->last_time - (int64_t)2 * STW_SLOT_NS)
			break;
		if (s->detail.gc_waiting)
			continue;
		if (!runnable_at(a, t, &least, &most) || n < least - slack || n > most + slack)
			return false;
		*telling += n > 2 * slack;
	}
	return true;
}

stw_run_place stw_place_by_queues(const stw_gather *a, const stw_run_lines *l, int64_t low, int64_t high)
{
	stw_run_place p = {.low = INT64_MAX, .high = INT64_MIN, .chance = 1};
	int64_t step = (high - low) / STW_PLACES_TRIED > MS ? (high - low) / STW_PLACES_TRIED : MS;
	size_t least = SIZE_MAX, telling;
	if (l->n_samples == 0 || a->backlog.count == 0 || high < low || step > STW_SLOT_NS / 2 || l->n_samples > STW_PLACES_TRIED)
		return p;
	for (int64_t zero = low; zero <= high; zero += step) {
		if (!queues_agree(a, l, zero, &telling))
			continue;
		p.low = zero < p.low ? zero : p.low;
		p.high = zero;
		least = telling < least ? telling : least;
		p.found = true;
	}
	p.confirmed = p.found && least >= STW_TELLING_SAMPLES;
	return p;
}
