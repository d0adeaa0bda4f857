/*
 * made_host.h - a host made of files: a folder with proc/ and sys/ for what takes `root`. Setup and
 * teardown are cmocka's.
 */
#ifndef TESTS_MADE_HOST_H
#define TESTS_MADE_HOST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char made_host[32]; /* the folder */

static int made_host_setup(void **state)
{
    (void)state;
    strcpy(made_host, "/tmp/zvmm-host-XXXXXX");
    return mkdtemp(made_host) != NULL ? 0 : -1;
}

static int made_host_teardown(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", made_host);
    return system(command);
}

/* Writes the file, and makes the folders it is in. */
static void made_host_put(const char *path, const char *text)
{
    char name[256];
    size_t root = strlen(made_host) + 1;
    snprintf(name, sizeof(name), "%s/%s", made_host, path);
    for (char *at = strchr(name + root, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(name, 0700);
        *at = '/';
    }
    FILE *file = fopen(name, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

#endif
