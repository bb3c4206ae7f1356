/* The load client of bench_fanout.py and others: many WebSocket clients on one thread.

   Usage: fanout_client PORT FILE FIELD SYMBOLS REPLIES STALLED WARMUP_S SECONDS

   FILE holds, for each client, the HTTP request that asks for the upgrade and the masked
   frames to send after it, each behind its length (4 bytes, little endian). A client is ready
   when it got REPLIES messages without a price. The last STALLED clients read nothing from
   then on and count in no figure.

   A message of the flow has a price, "FIELD":P, with P = n * 10^9 + t: n is the number of the
   message, rising by one over all symbols, the symbol is number n mod SYMBOLS, and t is the
   time it was sent, in microseconds of CLOCK_MONOTONIC modulo 10^9.

   Prints one JSON object a line: {"event":"stalled","port"} per stalled client, "ready" when
   all clients are, "measuring" after WARMUP_S, and "measured", with the figures of the SECONDS
   from then on. Who cannot get ready within 30 s ends it with status 1. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 1 << 18,
    REST_BYTES = 1 << 17, /* the longest frame, or answer to the request */
    STALLED_RCVBUF = 4096,
    AT_ONCE = 32, /* clients that are getting ready at a time */
    READY_WITHIN_S = 30,
    BUCKET_US = 10,
    BUCKETS = 1000000, /* 10 s; what is older counts in the last one */
    EVENTS = 256,
};
#define CYCLE 1000000000LL

enum state { UPGRADING, SUBSCRIBING, READY, CLOSED };

struct client {
    int fd;
    enum state state;
    uint32_t replies;
    uint32_t rest_bytes;
    unsigned char *rest; /* the beginning of a frame whose end has not come yet */
    const unsigned char *request, *frames;
    uint32_t request_bytes, frames_bytes;
    uint32_t *newest; /* number of the newest message per symbol, 0 for none */
};

static struct client *clients;
static uint32_t client_count, symbols, replies_due, stalled;
static uint32_t begun, ready; /* clients that were connected, and that are ready */
static int poller, measuring;
static uint16_t port;
static char field[64]; /* what stands before the price */
static size_t field_bytes;
static unsigned char buffer[REST_BYTES + READ_BYTES];
static uint32_t histogram[BUCKETS];
static uint64_t deliveries, bytes, lost, disordered, doubled, closed, max_us;
static int64_t now; /* us */

static void die(const char *what)
{
    fprintf(stderr, "fanout_client: %s (%s)\n", what, strerror(errno));
    exit(1);
}

static int64_t clock_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static double cpu_s(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static const unsigned char *load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        die(path);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *data = malloc(*size);
    if (!data || fread(data, 1, *size, file) != *size)
        die(path);
    fclose(file);
    return data;
}

static const unsigned char *piece(const unsigned char **at, uint32_t *size)
{
    memcpy(size, *at, sizeof *size);
    const unsigned char *data = *at + sizeof *size;
    *at = data + *size;
    return data;
}

static void read_clients(const char *path)
{
    size_t size;
    const unsigned char *data = load(path, &size), *end = data + size, *at = data;
    uint32_t skipped;
    for (; at < end; client_count++)
        piece(&at, &skipped), piece(&at, &skipped);
    clients = calloc(client_count, sizeof *clients);
    uint32_t *newest = calloc((size_t)client_count * symbols, sizeof *newest);
    if (!clients || !newest)
        die("memory");
    at = data;
    for (uint32_t i = 0; i < client_count; i++) {
        clients[i].request = piece(&at, &clients[i].request_bytes);
        clients[i].frames = piece(&at, &clients[i].frames_bytes);
        clients[i].newest = newest + (size_t)i * symbols;
        clients[i].rest = malloc(REST_BYTES); /* touched only as far as it is used */
        if (!clients[i].rest)
            die("memory");
    }
}

static void send_all(struct client *client, const unsigned char *data, size_t size)
{
    /* All of it is small and the socket's buffer empty: a part of it would be a surprise. */
    if (size && send(client->fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)
        die("send");
}

static void begin(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval limit = {.tv_sec = READY_WITHIN_S};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    int one = 1, small = STALLED_RCVBUF;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (client->fd < 0)
        die("socket");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (client >= clients + client_count - stalled)
        setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address))
        die("connect");
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event))
        die("epoll_ctl");
    send_all(client, client->request, client->request_bytes);
}

static void stall(struct client *client)
{
    struct sockaddr_in own;
    socklen_t size = sizeof own;
    epoll_ctl(poller, EPOLL_CTL_DEL, client->fd, NULL);
    getsockname(client->fd, (struct sockaddr *)&own, &size);
    printf("{\"event\":\"stalled\",\"port\":%u}\n", ntohs(own.sin_port));
    fflush(stdout);
}

/* Count an answer to what was subscribed; the last one that is due makes the client ready. */
static void take_reply(struct client *client)
{
    if (client->state != SUBSCRIBING || client->replies++ < replies_due)
        return;
    client->state = READY;
    ready++;
    if (client >= clients + client_count - stalled)
        stall(client);
}

static void take_message(struct client *client, const unsigned char *text, size_t size)
{
    static size_t usual; /* where the field was last time: it seldom moves */
    const unsigned char *at = text + usual, *end = text + size;
    if (usual + field_bytes > size || memcmp(at, field, field_bytes))
        at = memmem(text, size, field, field_bytes);
    int64_t price = 0;
    if (at) {
        usual = (size_t)(at - text);
        for (at += field_bytes; at < end && *at >= '0' && *at <= '9'; at++)
            price = price * 10 + (*at - '0');
    }
    if (!price) {
        take_reply(client);
        return;
    }
    uint32_t number = (uint32_t)(price / CYCLE);
    uint32_t *newest = &client->newest[number % symbols], before = *newest;
    if (number > before)
        *newest = number;
    if (!measuring)
        return;
    bytes += size;
    if (number <= before) {
        number == before ? doubled++ : disordered++;
        return;
    }
    deliveries++;
    if (before)
        lost += (number - before) / symbols - 1;
    uint64_t age_us = (uint64_t)((now % CYCLE - price % CYCLE + CYCLE) % CYCLE);
    uint64_t bucket = age_us / BUCKET_US;
    histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    if (age_us > max_us)
        max_us = age_us;
}

static void answer_ping(struct client *client, const unsigned char *text, size_t size)
{
    unsigned char pong[6 + 125] = {0x8a, (unsigned char)(0x80 | size)}; /* masked with zeros */
    memcpy(pong + 6, text, size);
    send_all(client, pong, 6 + size);
}

/* Take one frame, or the answer to the request; give its length, 0 while its end is missing. */
static size_t take(struct client *client, const unsigned char *data, size_t size)
{
    if (client->state == UPGRADING) {
        const unsigned char *end = memmem(data, size, "\r\n\r\n", 4);
        if (!end)
            return 0;
        if (size < 12 || memcmp(data + 8, " 101", 4))
            die("the server refused the upgrade");
        client->state = SUBSCRIBING;
        send_all(client, client->frames, client->frames_bytes);
        take_reply(client); /* counts as one, for servers that answer nothing */
        return (size_t)(end + 4 - data);
    }
    if (size < 2)
        return 0;
    size_t length = data[1], head = 2; /* a server masks nothing */
    if (length == 126) {
        if (size < 4)
            return 0;
        length = (size_t)data[2] << 8 | data[3], head = 4;
    } else if (length >= 127)
        die("a frame of 64 KiB or more");
    if (size < head + length)
        return 0;
    switch (data[0]) {
    case 0x81: case 0x82: take_message(client, data + head, length); break;
    case 0x88: break; /* a close: the end of the connection follows */
    case 0x89: answer_ping(client, data + head, length); break;
    case 0x8a: break;
    default: die("a frame of an unknown kind");
    }
    return head + length;
}

static void receive(struct client *client)
{
    memcpy(buffer, client->rest, client->rest_bytes);
    ssize_t got = recv(client->fd, buffer + client->rest_bytes, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        if (client->state != READY)
            die("the server closed a connection that was not ready");
        close(client->fd);
        client->state = CLOSED;
        closed++;
        return;
    }
    now = clock_us();
    size_t size = client->rest_bytes + (size_t)got, at = 0, taken;
    while ((taken = take(client, buffer + at, size - at)))
        at += taken;
    client->rest_bytes = (uint32_t)(size - at);
    if (client->rest_bytes > REST_BYTES)
        die("an answer without an end");
    memcpy(client->rest, buffer + at, client->rest_bytes);
}

static double percentile_ms(double share)
{
    uint64_t below = 0, rank = (uint64_t)((double)deliveries * share);
    uint32_t bucket = 0;
    while (bucket < BUCKETS - 1 && (below += histogram[bucket]) <= rank)
        bucket++;
    return (bucket + 0.5) * BUCKET_US / 1000;
}

static void say(const char *event)
{
    printf("{\"event\":\"%s\"}\n", event);
    fflush(stdout);
}

/* Read until a time; with `getting_ready`, begin clients too, and only until all are ready. */
static void run_until(int64_t end_us, int getting_ready)
{
    struct epoll_event events[EVENTS];
    while ((now = clock_us()) < end_us && !(getting_ready && ready == client_count)) {
        while (getting_ready && begun < client_count && begun - ready < AT_ONCE)
            begin(&clients[begun++]);
        int wait_ms = (int)((end_us - now) / 1000) + 1;
        int count = epoll_wait(poller, events, EVENTS, wait_ms);
        for (int i = 0; i < count; i++)
            receive(events[i].data.ptr);
    }
}

int main(int count, char **arguments)
{
    if (count != 9) {
        fprintf(stderr, "usage: PORT FILE FIELD SYMBOLS REPLIES STALLED WARMUP_S SECONDS\n");
        return 2;
    }
    port = (uint16_t)atoi(arguments[1]);
    field_bytes = (size_t)snprintf(field, sizeof field, "\"%s\":", arguments[3]);
    if (field_bytes >= sizeof field)
        die("a field's name of so many letters");
    symbols = (uint32_t)atoi(arguments[4]);
    replies_due = (uint32_t)atoi(arguments[5]);
    stalled = (uint32_t)atoi(arguments[6]);
    read_clients(arguments[2]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(0);
    run_until(clock_us() + READY_WITHIN_S * 1000000LL, 1);
    if (ready < client_count)
        die("not all clients got ready in time");
    say("ready");
    run_until(clock_us() + (int64_t)(atof(arguments[7]) * 1e6), 0);
    say("measuring");
    measuring = 1;
    int64_t began = clock_us();
    double spent_s = cpu_s();
    run_until(began + (int64_t)(atof(arguments[8]) * 1e6), 0);
    double elapsed_s = (double)(clock_us() - began) / 1e6;
    printf("{\"event\":\"measured\",\"elapsed_s\":%.3f,\"deliveries\":%lu,\"bytes\":%lu,"
           "\"lost\":%lu,\"disordered\":%lu,\"doubled\":%lu,\"closed\":%lu,"
           "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"cpu_s\":%.3f}\n",
           elapsed_s, deliveries, bytes, lost, disordered, doubled, closed, percentile_ms(0.5),
           percentile_ms(0.99), (double)max_us / 1000, cpu_s() - spent_s);
    return 0;
}
