/* The readers that the registry in companion.c lists, one file each. */
#ifndef STW_SOURCES_READERS_H
#define STW_SOURCES_READERS_H

#include "sources/companion.h"

extern const stw_companion_reader stw_reader_profile;
extern const stw_companion_reader stw_reader_binary;
extern const stw_companion_reader stw_reader_dump;
extern const stw_companion_reader stw_reader_godebug;

#endif
