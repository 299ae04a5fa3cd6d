/* What an analysis holds, for the files that make it: analyze.c reads and judges, analyze_tell.c says what the inputs are, analyze_focus.c keeps
 * what was asked for. */
#ifndef STW_API_ANALYSIS_H
#define STW_API_ANALYSIS_H

#include "api/inputs.h"
#include "api/symbols.h"
#include "rules/case.h"
#include "sources/source_tree.h"

struct stwatch_analysis {
	stw_mem *mem;
	stw_arena arena;
	stwatch_settings settings;
	stw_inputs files;
	stw_companions companions; /* those of files */
	stw_symbols symbols;
	STW_VEC(stwatch_input) inputs; /* in the order given */
	STW_VEC(unsigned) origins; /* of each, an index of files.files */
	bool cancelled;
	const char *unread; /* it was before anything could be read: what is to be said of that; else NULL */
	bool interrupted; /* the waiting for more was: what is there is to be read all the same */
	stwatch_summary summary;
	stwatch_finding *findings;
	size_t n_findings;
	STW_VEC(const char *) limits;
	stw_trace trace;
	stw_gather gather;
	stw_case judged;
	stw_source_tree sources;
};

/* One more thing that the inputs can't show; its text must live as long as the analysis. False for NULL, and when out of memory. */
bool stw_analysis_limit(stwatch_analysis *analysis, const char *text);
/* Fills the inputs in, in the order in which they were given, the figures of the summary and the limits, and gives logs their place in the
 * trace's time. For after the fold. False when out of memory. */
bool stw_analysis_describe(stwatch_analysis *analysis);
/* Leaves the findings that the options ask for. */
void stw_analysis_select(stwatch_analysis *analysis, const stwatch_analyze_options *options);

#endif
