/* Names for the indices of stwatch_settings.values. */
#ifndef STW_RULES_SETTINGS_H
#define STW_RULES_SETTINGS_H

#include "stwatch/analysis.h"

enum stw_setting {
#define STW_SETTING(name, option, unit, value, help) STW_SET_##name,
#include "rules/settings.def"
#undef STW_SETTING
	STW_SET_COUNT
};

_Static_assert(STW_SET_COUNT <= sizeof(((stwatch_settings *)0)->values) / sizeof(int64_t), "more settings than stwatch_settings can hold");

#endif
