#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

stwatch_status stw_fail(stwatch_error *error, stwatch_status status, uint64_t offset, const char *format, ...)
{
	if (error) {
		error->status = status;
		error->offset = offset;
		va_list args;
		va_start(args, format);
		vsnprintf(error->message, sizeof error->message, format, args);
		va_end(args);
	}
	return status;
}

const char *stwatch_status_name(stwatch_status status)
{
	switch (status) {
	case STWATCH_OK: return "ok";
	case STWATCH_END: return "end";
	case STWATCH_ERR_MEMORY: return "out of memory";
	case STWATCH_ERR_IO: return "input/output error";
	case STWATCH_ERR_FORMAT: return "unknown format";
	case STWATCH_ERR_DAMAGED: return "damaged";
	case STWATCH_ERR_UNSUPPORTED: return "unsupported";
	case STWATCH_ERR_ARGUMENT: return "wrong argument";
	case STWATCH_ERR_CANCELLED: return "cancelled";
	case STWATCH_ERR_UNAVAILABLE: return "not built in";
	}
	return "unknown status";
}
