// jemalloc reads this before main (jemalloc(3), TUNING); MALLOC_CONF in the environment overrides it. Few
// arenas, since a server has few threads; what is free for 5 s goes back to the kernel, also while nothing
// happens.
extern "C" {
const char* malloc_conf =
    "narenas:4,dirty_decay_ms:5000,muzzy_decay_ms:0,background_thread:true,max_background_threads:1";
}
