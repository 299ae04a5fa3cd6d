#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed(cli_file *file)
{
	if (!file->error)
		file->error = errno ? errno : EIO;
	return false;
}

static bool in_place(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

bool cli_file_begin(cli_file *file, const char *path)
{
	*file = (cli_file){.path = path, .fd = -1};
	if (in_place(path)) {
		file->fd = open(path, O_WRONLY | O_CLOEXEC);
		return file->fd >= 0 || failed(file);
	}
	if (snprintf(file->temporary, sizeof file->temporary, "%s.XXXXXX", path) >= (int)sizeof file->temporary) {
		errno = ENAMETOOLONG;
		return failed(file);
	}
	file->fd = mkstemp(file->temporary);
	if (file->fd < 0)
		return failed(file);
	mode_t mask = umask(0);
	umask(mask);
	if (fchmod(file->fd, 0666 & ~mask) == 0)
		return true;
	failed(file);
	cli_file_drop(file);
	return false;
}

int cli_file_sink(void *user, const char *data, size_t length)
{
	cli_file *file = user;
	while (length > 0 && !file->error) {
		errno = 0;
		ssize_t n = write(file->fd, data, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			failed(file);
			break;
		}
		data += n;
		length -= (size_t)n;
	}
	return file->error;
}

bool cli_file_keep(cli_file *file)
{
	int fd = file->fd;
	file->fd = -1;
	if (fd >= 0 && close(fd) != 0)
		failed(file);
	if (!file->error && *file->temporary && rename(file->temporary, file->path) != 0)
		failed(file);
	if (file->error) {
		cli_file_drop(file);
		return false;
	}
	return true;
}

void cli_file_drop(cli_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	if (*file->temporary)
		unlink(file->temporary);
	*file->temporary = '\0';
}
