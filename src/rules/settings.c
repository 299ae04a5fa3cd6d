#include "rules/settings.h"

static const stwatch_setting settings[] = {
#define STW_SETTING(name, option, unit, value, help) {option, help, STWATCH_UNIT_##unit, value},
#include "rules/settings.def"
#undef STW_SETTING
};

const stwatch_setting *stwatch_setting_at(size_t index)
{
	return index < STW_SET_COUNT ? &settings[index] : NULL;
}

void stwatch_settings_init(stwatch_settings *s)
{
	*s = (stwatch_settings){.size = sizeof *s};
	for (size_t i = 0; i < STW_SET_COUNT; i++)
		s->values[i] = settings[i].value;
}
