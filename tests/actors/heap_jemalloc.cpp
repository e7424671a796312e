// Keeps all that is freed, until it is asked to give it back: jemalloc(3), TUNING.
extern "C" {
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1";
}
