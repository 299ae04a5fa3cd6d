/* Names from the binaries among the inputs, for what has only addresses. */
#ifndef STW_API_SYMBOLS_H
#define STW_API_SYMBOLS_H

#include "sources/binary.h"

typedef struct stw_symbols {
	stw_namer namer; /* of these */
	const stw_companions *companions;
	const stw_companion *from; /* whose names are used; NULL: nobody's fit */
	stw_binary_fit fit; /* of `from`, else of the last that was tried */
	bool asked; /* the trace has addresses without names */
} stw_symbols;

/* companions must outlive it, and it must stay where it is. */
void stw_symbols_init(stw_symbols *symbols, const stw_companions *companions);
/* Whether there is any binary. */
bool stw_symbols_any(const stw_symbols *symbols);

#endif
