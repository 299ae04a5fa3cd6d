/* Advice by version: what a newer Go does better, where that bears on a finding. */
#include <string.h>

#include "rules/case.h"

typedef struct since {
	unsigned minor;
	const char *rule, *cause, *function, *text;
} since;

static const since ROWS[] = {
#define STW_SINCE(minor, rule, cause, function, text) {minor, rule, cause, function, text},
#include "rules/since.def"
#undef STW_SINCE
};

/* The newest Go that writes a header: some have the same. */
static unsigned newest_of(unsigned header)
{
	static const uint8_t SHARED[][2] = {{5, 6}, {11, 18}, {19, 20}, {23, 24}, {26, 27}};
	for (size_t i = 0; i < sizeof SHARED / sizeof *SHARED; i++)
		if (SHARED[i][0] == header)
			return SHARED[i][1];
	return header;
}

static bool begins(const char *function, const char *with)
{
	return function && strncmp(function, with, strlen(with)) == 0;
}

static bool shows(const stw_found *f, const char *function)
{
	if (!*function || begins(f->culprit.leaf, function))
		return true;
	for (size_t i = 0; i < f->evidence.count; i++)
		for (size_t k = 0; k < f->evidence.items[i].n_stack; k++)
			if (begins(f->evidence.items[i].stack[k].function, function))
				return true;
	return false;
}

static bool applies(const since *s, const stw_found *f)
{
	return strcmp(s->rule, f->f.rule) == 0 && (!*s->cause || (f->f.cause && strcmp(s->cause, f->f.cause) == 0)) &&
		shows(f, s->function);
}

const char *stw_case_advice_since(stw_case *c, const stw_found *f)
{
	const char *advice = f->f.advice ? f->f.advice : "";
	const unsigned header = c->has_trace ? (unsigned)c->trace->version : 0;
	for (size_t i = 0; header && i < sizeof ROWS / sizeof *ROWS; i++) {
		const since *s = &ROWS[i];
		/* What was preempted by a signal shows that its Go could. */
		if (header >= s->minor || !applies(s, f) || (s->minor == 14 && header == 11 && c->preempts))
			continue;
		advice = stw_case_printf(c, "%s%ssince Go 1.%u %s%s", advice, *advice ? "; " : "", s->minor, s->text,
			newest_of(header) >= s->minor ? " (the trace does not tell whether its Go is older)" : "");
	}
	return advice;
}
