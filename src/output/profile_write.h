/* A profile of a trace's states as a gzip'd profile.proto (https://github.com/google/pprof, proto/profile.proto). */
#ifndef STW_OUTPUT_PROFILE_WRITE_H
#define STW_OUTPUT_PROFILE_WRITE_H

#include "analysis/state_profile.h"

/* The bytes go through the sink as they come. STWATCH_ERR_IO if it stopped them, _MEMORY; _UNAVAILABLE where it isn't built in. */
stwatch_status stw_profile_write(const stw_state_profile *profile, stwatch_sink_fn sink, void *user, stwatch_error *error);

#endif
