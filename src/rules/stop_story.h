/* What the rules on stops of the world share. */
#ifndef STW_RULES_STOP_STORY_H
#define STW_RULES_STOP_STORY_H

#include "rules/case.h"

/* A collection's own stop that lasted because of what was done while the world stood, not because somebody kept it waiting. */
bool stw_is_collectors_own(const stw_case *c, const stw_stop *stop);
/* A CPU profile ran, and saw nothing while the world stood: the machine had taken the CPU away. Once samples are there. */
bool stw_stood_off_cpu(const stw_case *c, const stw_stop *stop);
const stw_stop_moment *stw_stop_moment_of(const stw_case *c, const stw_stop *stop, uint32_t i);
/* Who stood runnable within it. */
void stw_stop_harms(stw_case *c, stw_found *found, const stw_stop *stop);
void stw_stop_phases(const stw_case *c, stw_found *found, const stw_stop *stop);
/* Evidence: each P's stop, who was last; who asked, when the world stood and when it ran again. */
void stw_tell_stops(stw_case *c, stw_found *found, const stw_stop *stop);
void stw_tell_asked(stw_case *c, stw_found *found, const stw_stop *stop, const char *kind);

#endif
