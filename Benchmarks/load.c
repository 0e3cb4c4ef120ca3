/* Sends prepared HTTP requests at a fixed rate, or as fast as they are answered.
 *
 *   load HOST PORT FILE CONNECTIONS RATE SECONDS
 *
 * FILE holds requests, each a 32-bit little-endian length and that many bytes;
 * every one is sent once, in order. With a RATE (per second) the load is open:
 * a request's latency counts from the moment it was due, whether or not a
 * connection was free. With a RATE of 0 it is closed: each connection sends
 * its next request when the last one was answered. Ends after SECONDS or with
 * the file, and prints one line of JSON.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RESPONSE_LIMIT = 1 << 16 };

struct connection {
    int socket;
    int busy;
    double due;             /* when its request was due */
    const uint8_t *out;     /* what is still to be sent */
    size_t out_left;
    char in[RESPONSE_LIMIT]; /* what has been received of the answer */
    size_t in_length;
};

static struct connection *connections;
static double *latencies;
static size_t answered, accepted, failed;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int open_socket(const char *host, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die("host");
    int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(s, F_SETFL, fcntl(s, F_GETFL) | O_NONBLOCK);
    return s;
}

static void send_some(struct connection *c) {
    while (c->out_left > 0) {
        ssize_t sent = send(c->socket, c->out, c->out_left, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (sent <= 0) die("send");
        c->out += sent;
        c->out_left -= sent;
    }
}

/* The status of a whole answer, or 0 while some of it is missing. */
static int whole_answer(struct connection *c) {
    c->in[c->in_length] = 0;
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end) return 0;
    char *field = strcasestr(c->in, "\r\ncontent-length:");
    size_t length = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
    if (c->in_length < (size_t)(end - c->in) + 4 + length) return 0;
    return atoi(c->in + 9);
}

/* True when the request was answered and the connection is free again. */
static int receive_some(struct connection *c) {
    for (;;) {
        ssize_t got = recv(c->socket, c->in + c->in_length, RESPONSE_LIMIT - 1 - c->in_length, 0);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (got <= 0) {
            fprintf(stderr, "the connection was closed\n");
            exit(1);
        }
        c->in_length += got;
        if (c->in_length >= RESPONSE_LIMIT - 1) {
            fprintf(stderr, "an answer is too large\n");
            exit(1);
        }
    }
    int status = c->busy ? whole_answer(c) : 0;
    if (!status) return 0;
    latencies[answered++] = now() - c->due;
    if (status == 200) accepted++; else failed++;
    c->busy = 0;
    c->in_length = 0;
    return 1;
}

static int by_value(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double percentile(double p) {
    if (!answered) return 0;
    size_t index = (size_t)(p / 100 * answered);
    return latencies[index < answered ? index : answered - 1] * 1e3;
}

int main(int count, char **arguments) {
    if (count != 7) {
        fprintf(stderr, "usage: load HOST PORT FILE CONNECTIONS RATE SECONDS\n");
        return 64;
    }
    const char *host = arguments[1];
    int port = atoi(arguments[2]), width = atoi(arguments[4]);
    double rate = atof(arguments[5]), seconds = atof(arguments[6]);
    int file = open(arguments[3], O_RDONLY);
    struct stat about;
    if (file < 0 || fstat(file, &about) != 0 || about.st_size == 0) die(arguments[3]);
    const uint8_t *next = mmap(NULL, about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (next == MAP_FAILED) die("mmap");
    const uint8_t *end = next + about.st_size;

    latencies = malloc(sizeof *latencies * (about.st_size / 64 + 1));
    connections = calloc(width, sizeof *connections);
    int *idle = malloc(sizeof *idle * width), idle_count = 0, poll = epoll_create1(0), in_flight = 0;
    for (int i = 0; i < width; i++) {
        connections[i].socket = open_socket(host, port);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = i};
        epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].socket, &event);
        idle[idle_count++] = i;
    }

    double start = now(), stop = start + seconds;
    size_t number = 0;
    int is_open = rate > 0;
    for (;;) {
        double time = now();
        int is_sending = next + 4 < end && (is_open ? start + number / rate : time) < stop;
        while (is_sending && idle_count > 0 && (!is_open || start + number / rate <= time)) {
            uint32_t length;
            memcpy(&length, next, 4);
            struct connection *c = &connections[idle[--idle_count]];
            c->busy = 1;
            c->due = is_open ? start + number / rate : time;
            c->out = next + 4;
            c->out_left = length;
            next += 4 + length;
            number++;
            in_flight++;
            send_some(c);
            is_sending = next + 4 < end && (is_open ? start + number / rate : time) < stop;
        }
        if (!is_sending && in_flight == 0) break;
        if (time > stop + 30) break; /* what is not answered by then never will be */
        /* Sleep until something happens or the next request is due. */
        struct epoll_event events[64];
        double wait = 0.1;
        if (is_sending && is_open && idle_count > 0) {
            double left = start + number / rate - now();
            wait = left > 0 ? (left < wait ? left : wait) : 0;
        }
        struct timespec patience = {.tv_nsec = (long)(wait * 1e9)};
        int ready = epoll_pwait2(poll, events, 64, &patience, NULL);
        for (int i = 0; i < ready; i++) {
            struct connection *c = &connections[events[i].data.u32];
            if (events[i].events & EPOLLOUT) send_some(c);
            if (receive_some(c)) {
                idle[idle_count++] = events[i].data.u32;
                in_flight--;
            }
        }
    }
    double took = now() - start;
    size_t lost = number - answered;
    qsort(latencies, answered, sizeof *latencies, by_value);
    printf(
        "{\"sent\":%zu,\"accepted\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"per_second\":%.1f,"
        "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f}\n",
        number, accepted, failed + lost, took, accepted / took, percentile(50), percentile(99), percentile(99.9),
        percentile(100));
    return 0;
}
