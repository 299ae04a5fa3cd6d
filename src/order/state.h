/* What ordering knows of goroutines, procs and threads while it merges the threads' streams into one valid order.
 *
 * The same state serves three ways of reading a generation:
 *   initial      the first one of a trace (or of a part read on its own): whatever it states is believed
 *   exact        a later one, with the true state at its entry: statements are checked against it
 *   speculative  a later one whose entry state is not known yet, so that it can be read on another core: what its events
 *                take for granted is written down as requirements, and checked at the join (join.h); any doubt gives up,
 *                and the generation is read again exactly.
 *
 * The rules are those of Go's internal/trace/order.go, against runtime/traceruntime.go. */
#ifndef STW_ORDER_STATE_H
#define STW_ORDER_STATE_H

#include "base/intern.h"
#include "base/map.h"
#include "event/spec.h"

/* Slots instead of ids: dense, and reused after a goroutine's end. */
#define STW_SLOT_NONE UINT32_MAX
#define STW_SLOT_UNKNOWN (UINT32_MAX - 1) /* speculative only: whatever it was at entry */
#define STW_SLOT_OK(slot) ((slot) < STW_SLOT_UNKNOWN)

/* What is known of a range (mark assist, sweep) that is or is not in flight. */
enum { STW_RANGE_OFF, STW_RANGE_ON, STW_RANGE_UNKNOWN };

typedef struct stw_order_g {
	int64_t id;
	uint64_t seq;
	uint32_t epoch; /* generation counter in which seq counts */
	uint8_t status; /* STW_G_* */
	uint8_t assist; /* STW_RANGE_* */
	uint8_t stops; /* stop-the-world ranges in flight */
	bool entry_regions; /* speculative: regions may have been open at entry */
	uint32_t region; /* innermost open one, 1 + index into regions, 0: none */
	uint32_t pops; /* join only */
} stw_order_g;

typedef struct stw_order_p {
	int64_t id;
	uint64_t seq;
	uint32_t epoch;
	uint8_t status; /* STW_P_* */
	uint8_t sweep; /* STW_RANGE_* */
} stw_order_p;

typedef struct stw_order_m {
	int64_t id;
	uint32_t g, p; /* slots */
	uint32_t entry_g, entry_p; /* speculative: what was assumed at entry, STW_SLOT_UNKNOWN: nothing */
	bool entry_if_seen; /* entry_g holds only if the thread was seen before */
} stw_order_m;

typedef struct stw_order_region {
	uint64_t task;
	uint32_t name; /* interned */
	uint32_t outer; /* as stw_order_g.region; or the next free one */
} stw_order_region;

typedef struct stw_order_task {
	uint64_t id, parent;
	uint32_t name; /* interned */
	bool active; /* false: speculative only, ended here */
} stw_order_task;

/* A stop-the-world in flight on a goroutine. */
typedef struct stw_order_stop {
	uint32_t g;
	uint64_t kind_id; /* the wire's string id at its begin */
	uint32_t kind; /* interned */
} stw_order_stop;

/* Goroutines' slots by id. Ids are given in sequence, so most have a place of their own; those whose place is taken are in a map. */
enum { STW_G_PLACES = 2048 };

typedef struct stw_g_place {
	int64_t id; /* where the place is free, one that does not belong here */
	uint32_t slot;
} stw_g_place;

enum { STW_GC_UNDETERMINED, STW_GC_OFF, STW_GC_RUNNING, STW_GC_UNKNOWN /* speculative */ };

/* What a speculative reading took for granted. */
enum {
	STW_REQ_G_STATUS, /* goroutine id exists with status a */
	STW_REQ_G_ASSIST, /* goroutine id has an assist in flight or not (a) */
	STW_REQ_P_STATUS, /* proc id, if it exists, has status a */
	STW_REQ_P_SYSCALL, /* proc id exists and is in a system call */
	STW_REQ_P_SWEEP, /* proc id has a sweep in flight or not (a) */
	STW_REQ_GC, /* the collector's sequence is id; a: event type that came first */
	STW_REQ_TASK_NEW, /* task id is not active */
	STW_REQ_REGION_POP, /* the innermost region of goroutine id, if any is open, is (b, name a) */
};

typedef struct stw_requirement {
	uint64_t id, b;
	uint32_t a;
	uint8_t kind;
} stw_requirement;

/* Goroutines that a speculative reading saw created, which must not exist before: 64 ids an entry, as there may be very many. */
typedef struct stw_new_gs {
	uint64_t base; /* id / 64 */
	uint64_t ids; /* a bit each */
} stw_new_gs;

enum { STW_NEW_RECENT = 32 };

typedef enum stw_read_mode { STW_READ_INITIAL, STW_READ_EXACT, STW_READ_SPECULATIVE } stw_read_mode;

/* The kind of contradiction an order fault is; rules name them. */
typedef enum stw_fault { STW_FAULT_NONE, STW_FAULT_BYTES, STW_FAULT_ORDER, STW_FAULT_TRANSITION, STW_FAULT_COUPLING } stw_fault;

typedef struct stw_order {
	stw_mem *mem;
	stw_read_mode mode;
	uint32_t epoch;
	STW_VEC(stw_order_g) gs;
	stw_order_g nobody; /* stands for no goroutine: it has neither id nor status */
	STW_VEC(stw_order_p) ps;
	STW_VEC(stw_order_m) ms;
	STW_VEC(uint32_t) free_gs;
	stw_g_place *g_places;
	uint64_t g_mask; /* number of places - 1; 0: none yet */
	stw_map g_slots, p_slots, m_slots;
	STW_VEC(stw_order_region) regions;
	uint32_t free_region; /* 1 + index, 0: none */
	STW_VEC(stw_order_task) tasks;
	STW_VEC(uint32_t) free_tasks;
	stw_map task_slots;
	STW_VEC(stw_order_stop) stops;
	stw_intern names;
	uint64_t gc_seq;
	uint8_t gc_state; /* STW_GC_* */
	STW_VEC(stw_requirement) requirements;
	STW_VEC(stw_new_gs) new_gs;
	uint32_t new_recent[STW_NEW_RECENT]; /* by base: index of an entry of late */
	bool gave_up; /* speculative: an assumption was not safe; nothing here counts */
	stw_fault fault; /* of the error that ended it */
} stw_order;

void stw_order_init(stw_order *order, stw_mem *mem);
void stw_order_free(stw_order *order);
/* Forgets everything, as before the first generation. */
void stw_order_reset(stw_order *order);
/* Before each generation. */
void stw_order_begin(stw_order *order, stw_read_mode mode);

/* Slots for ids, made where there is none; STW_SLOT_NONE when out of memory. */
uint32_t stw_order_add_g(stw_order *order, int64_t id, uint8_t status);
uint32_t stw_order_add_p(stw_order *order, int64_t id, uint8_t status);
uint32_t stw_order_add_m(stw_order *order, int64_t id);
/* For a goroutine that begins here, so nothing of it is in flight; a speculative reading notes that it is new.
 * STW_SLOT_NONE when out of memory: then there is none of that id. */
uint32_t stw_order_create_g(stw_order *order, int64_t id, uint8_t status);
/* Adds the next slot, of a goroutine to be filled in, or of none. False when out of memory, or where there is one of that id. */
bool stw_order_restore_g(stw_order *order, bool alive, int64_t id);
/* Frees a goroutine's slot, its regions and stops. */
void stw_order_remove_g(stw_order *order, uint32_t slot);
/* Ends what a goroutine has in flight: its regions, the stops that it asked for. */
void stw_order_close_g(stw_order *order, uint32_t slot);
bool stw_order_require(stw_order *order, uint8_t kind, uint64_t id, uint32_t a, uint64_t b);
bool stw_order_push_region(stw_order *order, uint32_t g, uint64_t task, uint32_t name);
void stw_order_pop_region(stw_order *order, uint32_t g);

/* Of a goroutine whose place is another's. */
uint32_t stw_order_find_g_other(const stw_order *order, int64_t id) __attribute__((noinline));

/* Where a goroutine's slot is, or another's with that place. */
static inline __attribute__((always_inline)) stw_g_place *stw_order_place_of(const stw_order *order, int64_t id)
{
	return &order->g_places[(uint64_t)id & order->g_mask];
}

/* A goroutine's slot, STW_MAP_NONE if there is none of that id. */
static inline __attribute__((always_inline)) uint32_t stw_order_find_g(const stw_order *order, int64_t id)
{
	const stw_g_place *place = stw_order_place_of(order, id);
	if (__builtin_expect(place->id == id, 1))
		return place->slot;
	return order->g_slots.count == 0 ? STW_MAP_NONE : stw_order_find_g_other(order, id);
}

/* Notes in a speculative reading that a goroutine is new, where one with an id close to it was noted of late. */
static inline __attribute__((always_inline)) bool stw_order_note_new_fast(stw_order *order, int64_t id)
{
	uint64_t base = (uint64_t)id / 64;
	uint32_t recent = order->new_recent[base % STW_NEW_RECENT];
	if (recent >= order->new_gs.count || order->new_gs.items[recent].base != base)
		return false;
	order->new_gs.items[recent].ids |= (uint64_t)1 << ((uint64_t)id % 64);
	return true;
}

/* As stw_order_create_g, with a short way for the usual: a slot and the id's place are free, and noting it needs no room. */
static inline __attribute__((always_inline)) uint32_t stw_order_create_g_fast(stw_order *order, int64_t id, uint8_t status)
{
	stw_g_place *place = stw_order_place_of(order, id);
	if (__builtin_expect(!order->free_gs.count || place->slot != STW_MAP_NONE, 0))
		return stw_order_create_g(order, id, status);
	if (order->mode == STW_READ_SPECULATIVE && __builtin_expect(!stw_order_note_new_fast(order, id), 0))
		return stw_order_create_g(order, id, status);
	uint32_t slot = order->free_gs.items[--order->free_gs.count]; /* of one that had a place, so there are places */
	*place = (stw_g_place){id, slot};
	order->gs.items[slot] = (stw_order_g){.id = id, .epoch = order->epoch, .status = status, .assist = STW_RANGE_OFF};
	return slot;
}

/* As stw_order_remove_g, with a short way for the usual: it has a place, and nothing of it is in flight. */
static inline __attribute__((always_inline)) void stw_order_remove_g_fast(stw_order *order, uint32_t slot)
{
	const stw_order_g *g = &order->gs.items[slot];
	stw_g_place *place = stw_order_place_of(order, g->id);
	if (__builtin_expect(g->region || g->stops || place->slot != slot || order->free_gs.count == order->free_gs.capacity, 0)) {
		stw_order_remove_g(order, slot);
		return;
	}
	*place = (stw_g_place){g->id ^ 1, STW_MAP_NONE};
	order->free_gs.items[order->free_gs.count++] = slot;
}

/* Whether a slot is somebody's: of one that has ended it is free. */
static inline bool stw_order_is_alive(const stw_order *order, uint32_t g)
{
	return stw_order_find_g(order, order->gs.items[g].id) == g;
}

static inline uint32_t stw_order_find_p(const stw_order *order, int64_t id)
{
	return stw_map_get(&order->p_slots, (uint64_t)id);
}

static inline uint32_t stw_order_find_m(const stw_order *order, int64_t id)
{
	return stw_map_get(&order->m_slots, (uint64_t)id);
}

static inline int64_t stw_order_g_id(const stw_order *order, uint32_t slot)
{
	return STW_SLOT_OK(slot) ? order->gs.items[slot].id : STWATCH_NONE;
}

static inline int64_t stw_order_p_id(const stw_order *order, uint32_t slot)
{
	return STW_SLOT_OK(slot) ? order->ps.items[slot].id : STWATCH_NONE;
}

static inline int64_t stw_order_m_id(const stw_order *order, uint32_t slot)
{
	return STW_SLOT_OK(slot) ? order->ms.items[slot].id : STWATCH_NONE;
}

#endif
