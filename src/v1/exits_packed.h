/* Ends of system calls that are kept packed; inside exits*.c only. */
#ifndef STW_V1_EXITS_PACKED_H
#define STW_V1_EXITS_PACKED_H

#include "v1/exits.h"

/* As stw_v1_exit_walk_next. */
stwatch_status stw_v1_exit_walk_next_packed(stw_v1_exit_walk *walk, stw_v1_exit *exit, stwatch_error *error);

#endif
