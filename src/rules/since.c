/* Advice by version: what a newer Go does better, where that bears on a finding. */
#include <string.h>

#include "rules/case.h"

typedef struct since {
	unsigned minor; /* of Go; 0: of what a trace does not tell */
	stwatch_since row;
} since;

static const since ROWS[] = {
#define STW_SINCE(minor, rule, cause, function, text) {minor, {"Go 1." #minor, rule, cause, function, text}},
#define STW_SINCE_OTHER(version, rule, cause, text) {0, {version, rule, cause, "", text}},
#include "rules/since.def"
#undef STW_SINCE
#undef STW_SINCE_OTHER
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

static bool applies(const stwatch_since *s, const stw_found *f)
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
		if (header >= s->minor || !applies(&s->row, f) || (s->minor == 14 && header == 11 && c->preempts))
			continue;
		advice = stw_case_printf(c, "%s%ssince %s %s%s", advice, *advice ? "; " : "", s->row.version, s->row.text,
			newest_of(header) >= s->minor ? " (the trace does not tell whether its Go is older)" : "");
	}
	return advice;
}

const stwatch_since *stwatch_explain_since(const char *rule_or_cause, size_t index)
{
	for (size_t i = 0; rule_or_cause && i < sizeof ROWS / sizeof *ROWS; i++) {
		const stwatch_since *row = &ROWS[i].row;
		if (strcmp(row->rule, rule_or_cause) != 0 && strcmp(row->cause, rule_or_cause) != 0)
			continue;
		/* What bears on a rule and on a cause of another stands there twice. */
		bool told = false;
		for (size_t k = 0; k < i && !told; k++)
			told = strcmp(ROWS[k].row.text, row->text) == 0 && strcmp(ROWS[k].row.version, row->version) == 0 &&
				(strcmp(ROWS[k].row.rule, rule_or_cause) == 0 || strcmp(ROWS[k].row.cause, rule_or_cause) == 0);
		if (!told && index-- == 0)
			return row;
	}
	return NULL;
}
