/* The state graph: how often each transition was seen, after how long, and the time in each state. */
#ifndef STW_ANALYSIS_STATE_GRAPH_H
#define STW_ANALYSIS_STATE_GRAPH_H

#include "base/mem.h"
#include "model/fold.h"
#include "model/timeline.h"
#include "stwatch/states.h"

typedef struct stw_state_edge {
	uint8_t resource, from, to, event;
	uint32_t next; /* 1 + index of another of the same states, 0: none */
	uint64_t count, measured;
	int64_t max;
	uint32_t spent[STW_HISTOGRAM_SIZE];
} stw_state_edge;

typedef struct stw_state_sum {
	uint64_t stays, censored;
	int64_t total;
} stw_state_sum;

typedef struct stw_state_graph {
	stw_mem *mem;
	STW_VEC(stw_state_edge *) edges;
	uint32_t first_edge[STW_RES_COUNT][STW_STATE_COUNT][STW_STATE_COUNT]; /* as edge.next */
	stw_state_sum sums[STW_RES_COUNT][STW_STATE_COUNT];
} stw_state_graph;

typedef STW_VEC(stwatch_state_time) stw_state_times;
typedef STW_VEC(stwatch_transition) stw_state_transitions;

void stw_state_graph_init(stw_state_graph *graph, stw_mem *mem);
void stw_state_graph_free(stw_state_graph *graph);
/* One more transition. False when out of memory. */
bool stw_state_graph_move(stw_state_graph *graph, const stw_move *move);
/* A stay of this length within what is looked at; censored: it is longer than that. */
void stw_state_graph_stay(stw_state_graph *graph, const stw_interval *interval, int64_t ns, bool censored);
/* The rows of a resource (STW_RES_…), in the order of the tables, whatever came first in the trace, added to `out`. version: of Go's minor, for what is
 * legal. False when out of memory. */
bool stw_state_graph_transitions(const stw_state_graph *graph, unsigned resource, unsigned version, stw_state_transitions *out);
bool stw_state_graph_times(const stw_state_graph *graph, unsigned resource, stw_state_times *out);
/* An event's name, where a transition says by what it came. */
const char *stw_state_event_name(unsigned event);

#endif
