"""The variables that come too late for a Node.js process that has started already.

A run that sets one starts a process of its own. What Node and V8 look up anew each time (TZ,
NO_COLOR, FORCE_COLOR, NODE_TLS_REJECT_UNAUTHORIZED) is not here, nor what concerns only the REPL
or Windows.
"""

NODE = (
    # "Environment variables" in nodejs.org/docs/v24.x/api/cli.html.
    "NODE_COMPILE_CACHE",
    "NODE_COMPILE_CACHE_PORTABLE",
    "NODE_DEBUG",
    "NODE_DEBUG_NATIVE",
    "NODE_DISABLE_COMPILE_CACHE",
    "NODE_EXTRA_CA_CERTS",
    "NODE_ICU_DATA",
    "NODE_NO_WARNINGS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_PENDING_DEPRECATION",
    "NODE_PRESERVE_SYMLINKS",
    "NODE_PRESERVE_SYMLINKS_MAIN",
    "NODE_REDIRECT_WARNINGS",
    "NODE_TEST_CONTEXT",
    "NODE_USE_ENV_PROXY",
    "NODE_USE_SYSTEM_CA",
    "NODE_V8_COVERAGE",
    "OPENSSL_CONF",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "UV_THREADPOOL_SIZE",
    "UV_USE_IO_URING",
)

C_LIBRARY = (
    # ld.so(8), mallopt(3), and what ICU takes its locale from.
    "GLIBC_TUNABLES",
    "LANG",
    "LC_ALL",
    "LC_MESSAGES",
    "LD_AUDIT",
    "LD_BIND_NOW",
    "LD_DEBUG",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "MALLOC_ARENA_MAX",
    "MALLOC_CHECK_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_PERTURB_",
    "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_",
)

COLD_VARIABLES = NODE + C_LIBRARY
