/* The source lines that findings name. */
#ifndef STW_API_LISTINGS_H
#define STW_API_LISTINGS_H

#include "sources/source_tree.h"

/* Gives findings their listings, out of an opened tree, which must outlive them. STWATCH_ERR_MEMORY, _CANCELLED (then without). */
stwatch_status stw_listings_find(
	stw_source_tree *tree, stwatch_finding *findings, size_t n, const volatile int *cancel, stwatch_error *error);

#endif
