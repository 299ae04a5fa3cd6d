/* What a v1 trace has said of what exists, beside what the merge knows: what it takes to write the trace's beginning anew, at any event. It is told of each
 * event as the merge takes it (STW_V1_TAKEN in v1_step.h), and of what the merge hands on. */
#ifndef STW_ORDER_V1_PAST_H
#define STW_ORDER_V1_PAST_H

#include "base/bytes.h"
#include "order/v1.h"

/* Of a goroutine, by its slot. */
typedef struct stw_v1_past_g {
	uint64_t start; /* what it began with, as its creation has it */
	uint64_t label; /* that it was last started with, 0: none */
	int64_t exit_ticks, exit_seq; /* of the end of its call that was told last */
	uint32_t call_stack, net_stack, assist_stack; /* of its last call, wait for the network, assist */
	uint32_t call_p; /* slot: where its last call blocked */
	bool in_call; /* in a call that blocked: no event has said yet that it is ready to run */
	/* For who writes a part, from the border on. */
	bool returned; /* the call had ended before the border, so that event is left out */
	uint64_t shift; /* to be added to its sequence numbers */
} stw_v1_past_g;

/* Of a proc, by its slot. */
typedef struct stw_v1_past_p {
	uint64_t thread; /* that it started on last */
	uint32_t sweep_stack;
	uint32_t call_g; /* slot: whose call blocked here last */
} stw_v1_past_p;

/* The file's numbers of names, by the index that the order or the merge has for the thing that is called so. */
typedef STW_VEC(uint64_t) stw_v1_past_names;

typedef struct stw_v1_past {
	stw_mem *mem;
	STW_VEC(stw_v1_past_g) gs;
	STW_VEC(stw_v1_past_p) ps;
	stw_v1_past_names regions, tasks;
	uint64_t heap, goal, procs; /* the last figures */
	uint64_t stop_kind; /* of the last stop */
	uint32_t stop_p; /* slot: that it was begun on */
	uint32_t gc_stack; /* of the last collection's begin */
	bool has_heap, has_goal;
	bool failed; /* out of memory */
} stw_v1_past;

void stw_v1_past_init(stw_v1_past *past, stw_mem *mem);
void stw_v1_past_free(stw_v1_past *past);
/* A goroutine or proc, made where it is new; NULL when out of memory. */
stw_v1_past_g *stw_v1_past_g_at(stw_v1_past *past, uint32_t slot);
stw_v1_past_p *stw_v1_past_p_at(stw_v1_past *past, uint32_t slot);
/* By id; NULL also where there is none. */
stw_v1_past_g *stw_v1_past_find(stw_v1_past *past, const stw_v1_merge *vm, uint64_t id);
/* As STW_V1_TAKEN. */
void stw_v1_past_take(stw_v1_past *past, const stw_v1_merge *vm, size_t stream, const stw_v1_cursor *event);
/* Of what is handed on: its type, target and third argument. */
void stw_v1_past_told(stw_v1_past *past, const stw_v1_merge *vm, unsigned type, uint32_t slot, uint64_t status);

/* As bytes, behind those of the merge's state (v1_snapshot.h), and back, of a new one, with the merge that was resumed there. False where the bytes are no
 * such, or out of memory. */
void stw_v1_past_save(const stw_v1_past *past, const stw_v1_merge *vm, stw_bytes *bytes);
bool stw_v1_past_restore(stw_v1_past *past, const stw_v1_merge *vm, stw_bytes_reader *reader);

#endif
