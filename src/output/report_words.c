/* What all reports say of a finding, whatever they are written in. */
#include <stdio.h>
#include <string.h>

#include "output/report_views.h"
#include "output/text.h"

const char *stw_output_input_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strcmp(path, "-") == 0 ? "standard input" : slash && slash[1] ? slash + 1 : path;
}

void stw_output_facts(
	stw_sink *out, const stwatch_finding *f, stw_output_fact_fn *fact, void (*harmed)(stw_sink *out, const stwatch_finding *f))
{
	char words[STW_OUTPUT_NAME_MAX], a[STW_FIGURE_MAX], b[STW_FIGURE_MAX], c[STW_FIGURE_MAX];
	fact(out, "cause", f->cause && strcmp(f->cause, "unknown") != 0 ? f->cause : "not known from this input");
	if (f->has_phases) {
		snprintf(words, sizeof words, "lock wait %s, stopping %s, standing %s%s",
			f->lock_ns < 0 ? "not known apart from stopping" : stw_text_duration(a, f->lock_ns),
			stw_text_duration(b, f->stopping_ns), stw_text_duration(c, f->standing_ns),
			f->phases_inferred ? " (inferred)" : "");
		fact(out, "phases", words);
	}
	if (f->culprit) {
		stw_output_party_name(words, f->culprit);
		fact(out, "culprit", words);
	}
	harmed(out, f);
	for (size_t i = 0; i < f->n_ruled_out; i++)
		fact(out, "ruled out", f->ruled_out[i]);
	fact(out, "do", f->advice ? f->advice : "look at the evidence");
}
