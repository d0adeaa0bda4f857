/* proc_text.c - reading what the host's kernel lists. */
#include "proc_text.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BLANKS " \t"

bool proc_text_read(const char *path, char text[PROC_TEXT_ROOM])
{
    size_t length = 0;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    while (length < PROC_TEXT_ROOM - 1 &&
           (got = read(fd, text + length, PROC_TEXT_ROOM - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    text[length] = '\0';
    return got >= 0;
}

const char *proc_text_value(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) != 0)
            continue;
        const char *colon = line + length + strspn(line + length, BLANKS);
        if (*colon == ':')
            return colon + 1 + strspn(colon + 1, BLANKS);
    }
    return NULL;
}

bool proc_text_has_word(const char *line, const char *word)
{
    size_t length = strlen(word), n;
    for (; (n = strcspn(line, BLANKS "\n")) != 0; line += n + strspn(line + n, BLANKS))
        if (n == length && memcmp(line, word, n) == 0)
            return true;
    return false;
}
