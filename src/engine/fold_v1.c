#include "engine/fold_v1.h"

#define STW_FOLD_BY_INDEX true
#include "model/fold_emit.h"
#define STW_MERGE_EMIT fold_event
#define STW_MERGE_GAP fold_gap
#define STW_MERGE_GAP_NS STW_KEEP_SILENCE_NS
#define STW_V1_STACKS_BY_INDEX true
#include "order/v1_step.h"

__attribute__((hot)) stwatch_status stw_v1_fold_steps(stw_v1_merge *vm, unsigned steps)
{
	stwatch_status status = STWATCH_OK;
	while (steps-- > 0 && (status = v1_step(vm)) == STWATCH_OK)
		;
	return status;
}
