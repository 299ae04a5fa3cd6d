/* From the lines of a dump to goroutines. */
#ifndef STW_SOURCES_DUMP_READ_H
#define STW_SOURCES_DUMP_READ_H

#include "sources/dump.h"
#include "sources/lines.h"

typedef struct stw_dump_reader stw_dump_reader;

/* The reader writes into dump, which must outlive it. NULL when out of memory. */
stw_dump_reader *stw_dump_reader_new(stw_dump *dump);
void stw_dump_reader_free(stw_dump_reader *reader);
/* The next line of the text. False when out of memory. */
bool stw_dump_reader_line(stw_dump_reader *reader, const stw_line *line);
/* After the last line. False when out of memory. */
bool stw_dump_reader_end(stw_dump_reader *reader);

#endif
