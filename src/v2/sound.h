/* Whether bytes are what a batch holds: so that damage shows, and what only looks like a batch is not taken for one. */
#ifndef STW_V2_SOUND_H
#define STW_V2_SOUND_H

#include "v2/batch.h"
#include "v2/scan.h"

/* How many of the data's bytes are whole entries (of events, strings, stacks, samples, the clock) whose numbers can be true, and that the version writes;
 * where that is guessed, any version. */
uint32_t stw_sound_bytes(stw_go_version version, bool guessed, const stw_batch_head *head, const uint8_t *data);
/* The same of events, which also have to fit each other; less a few where that is not all. Where the data is `cut`, by the end of the input or of what is
 * known to be sound, the last of them may be. */
uint32_t stw_sound_prefix(stw_go_version version, bool guessed, const stw_batch_head *head, const uint8_t *data, bool cut);

#endif
